// Package codecs holds the nouns of coded media: a Track describes one
// elementary stream, a Unit is one coded frame of it. Sub-packages parse
// bitstreams (h264, h265), turn units into RTP payloads and back (rtppack) and
// make a test picture (testpattern).
//
// The package imports nothing else of this module.
package codecs
