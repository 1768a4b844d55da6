// Package export makes one MP4 file out of any range of a recording, across
// segments, gaps and changes of format, without decoding anything.
//
// Its size is known before a byte of media is read, and any part of it can be read
// alone, so that a download can be resumed and a player can seek in it.
//
// docs/design/segments.md describes what becomes of a segment in an export.
package export
