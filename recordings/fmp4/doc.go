// Package fmp4 is the file format of a recording's segment: a fragmented MP4 file
// (ISO/IEC 14496-12) that any player plays while it is being written, and out of
// which everything that went in can be had again: every byte of every NAL unit,
// every presentation time and every time of capture.
//
// A Muxer makes the bytes of a segment, Open, File.Scan and File.Units read them.
// docs/design/segments.md describes the format and its invariants.
package fmp4
