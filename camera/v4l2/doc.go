// Package v4l2 takes pictures from cameras of this machine: USB cameras, a Pi's, an
// encoder on a chip. Video that a device encodes itself is passed on as it is; raw
// pictures and MJPEG are encoded, in a binary built for that (package encoder).
// It speaks to drivers by the kernel's Video for Linux API (package uapi).
package v4l2
