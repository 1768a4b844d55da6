// Package verify says of a video file whether it is what a camera signed: MP4,
// fragmented or not, and raw H.264 and H.265 (Annex B). The format and what a
// signature proves are in docs/design/evidence.md.
package verify
