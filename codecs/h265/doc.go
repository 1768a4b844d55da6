// Package h265 reads what has to be known of an H.265 stream (ITU-T H.265, 2021)
// to carry it: NAL unit types, sequence parameter sets, the beginning of slices.
// Nothing is decoded.
package h265
