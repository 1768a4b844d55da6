// Package nal holds what H.264 and H.265 have in common: streams of NAL units
// (byte stream and length-prefixed formats), the bits inside one, parameter sets
// that refer to each other by number, and the Assembler that makes clean access
// units of what a camera sends. What differs is in packages h264 and h265.
//
// Everything here takes bytes from the network: nothing panics, and what is kept
// is bounded.
package nal
