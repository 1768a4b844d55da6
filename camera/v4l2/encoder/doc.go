// Package encoder turns the raw pictures and the JPEGs of a capture device into
// H.264, for devices that do not do so themselves.
//
// Encoding is the only thing in this project that needs cgo. It is there in binaries
// built with the tag device, by x264 (GPL-2.0-or-later, so the binary is under the GPL
// too), or with the tags device,openh264, by OpenH264 (BSD-2-Clause). In others New
// returns ErrMissing; what Accepts accepts is the same in all.
//
// The bindings are those of pion/mediadevices; what is added to them, and why, is in
// docs/adr/0061-encoder.md. x264 writes to standard error only when it fails.
// OpenH264 writes two warnings whenever an encoder is made, which cannot be turned off
// through its binding: that frames are never skipped, and the range of its quantizer.
//
// A static binary takes x264's archive as well:
//
//	go build -tags device,osusergo,netgo -ldflags '-linkmode external -extldflags -static' ./cmd/sightline-camera
package encoder
