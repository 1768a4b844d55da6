// Package playback is the HTTP API of recordings: what there is, where it has
// holes, the files and fragments themselves, exports, HLS, and what may be changed
// (pauses, locks, events). docs/design/playback.md has its invariants, and
// docs/openapi.yaml the API.
//
// It makes routes and knows nothing of what serves them.
package playback
