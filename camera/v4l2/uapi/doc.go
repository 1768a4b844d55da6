// Package uapi speaks to video devices by the kernel's Video for Linux API
// (Documentation/userspace-api/media/v4l), without cgo: what a device is, its formats,
// sizes, rates and controls, and memory-mapped streaming.
//
// What a driver answers is believed only as far as it can be checked: every list, index,
// length and text is bounded, so a broken or hostile driver costs an error and no more.
//
// The package builds on every system; devices exist on Linux only (see Linux). Tests put
// a driver in Go behind Kernel.
package uapi
