// Package testsrc is a camera.Source without a camera: it makes the test
// picture of codecs/testpattern in real time, and a soft tick once a second to
// go with it.
//
// Frames are captured at whole multiples of the frame time since the Unix
// epoch, and PTS counts from that epoch too, so that several sources (a main
// and a sub rendition) agree on both. A frame's PTS is 9 times the time in its
// stamp, in units of 100 µs, until the computer's clock is set: stamps then
// follow the clock, PTS goes on evenly.
package testsrc
