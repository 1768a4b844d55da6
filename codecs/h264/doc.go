// Package h264 reads what has to be known of an H.264 stream (ITU-T H.264, 2021)
// to carry it: NAL unit types, sequence parameter sets, the beginning of slices.
// Nothing is decoded.
package h264
