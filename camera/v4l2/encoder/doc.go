// Package encoder turns the raw pictures and the JPEGs of a capture device into
// H.264, for devices that do not do so themselves.
//
// It is the only package of this project that needs cgo, and so it is empty unless
// the binary is built with the tag device (x264) or device,openh264: New then
// returns ErrMissing. What it accepts is the same in every build.
package encoder
