// Package abi is the kernel's interface to video devices as include/uapi/linux/videodev2.h
// and v4l2-controls.h give it: structures with the layout of the architecture the package
// is built for, request numbers and constants. A test compares all of it with the kernel's
// own headers, for several architectures.
//
// Integers named long in C are int or uintptr here, which have its width. Structures differ
// between architectures in nothing else but the 64-bit integers' alignment, which is made
// up for where it matters. On 32-bit architectures time stamps have 32 bits: those requests
// exist in every kernel, and a monotonic clock does not reach 2038.
package abi
