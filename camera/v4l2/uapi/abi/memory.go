package abi

import "unsafe"

// overlay reads a union as another of its members, which must not be the larger one.
func overlay[To, From any](from *From) *To {
	return (*To)(unsafe.Pointer(from)) //nolint:gosec // unions; a test compares their sizes and offsets with C's
}

// address is a slice as the kernel wants it. It does not keep the slice where it is.
func address[T any](list []T) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(list))) //nolint:gosec // the callers' comments say who pins it
}

// behind is the slice whose address was stored.
func behind[T any](at *uintptr, length uint32) []T {
	return unsafe.Slice(*overlay[*T](at), length) //nolint:gosec // as long as the caller says
}
