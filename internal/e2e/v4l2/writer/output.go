//go:build linux

package main

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// output is the side of v4l2loopback that is written to. It implements sink.
type output struct {
	fd     int
	path   string
	format uint32 // V4L2_PIX_FMT_…
}

// openOutput opens a device for pictures of a format. The structures below are those
// of 64-bit machines.
func openOutput(path, format string) (*output, error) {
	if len(format) != 4 {
		return nil, fmt.Errorf("format %q is not four letters", format)
	}
	o := &output{path: path, format: uint32(format[0]) | uint32(format[1])<<8 | uint32(format[2])<<16 | uint32(format[3])<<24}
	var err error
	if o.fd, err = unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return o, nil
}

func (o *output) close() error { return unix.Close(o.fd) }

// watched implements sink: a loopback cannot know.
func (o *output) watched() bool { return true }

// pixFormat is struct v4l2_format with struct v4l2_pix_format in it.
type pixFormat struct {
	kind, _                                                          uint32
	width, height, pixel, field, bytesPerLine, sizeImage, colorspace uint32
	_                                                                [200 - 7*4]byte
}

// streamParm is struct v4l2_streamparm with struct v4l2_outputparm in it.
type streamParm struct {
	kind, capability, mode, numerator, denominator uint32
	_                                              [200 - 4*4]byte
}

const (
	bufTypeVideoOutput = 2
	fieldNone          = 1
	vidiocSFmt         = 3<<30 | 208<<16 | 'V'<<8 | 5
	vidiocSParm        = 3<<30 | 204<<16 | 'V'<<8 | 22
	vidiocStreamOn     = 1<<30 | 4<<16 | 'V'<<8 | 18
)

// begin implements sink.
func (o *output) begin(width, height, rate int) error {
	f := pixFormat{kind: bufTypeVideoOutput, width: uint32(width), height: uint32(height), pixel: o.format, field: fieldNone, sizeImage: uint32(width * height * 2)}
	if err := o.ioctl(vidiocSFmt, unsafe.Pointer(&f)); err != nil { //nolint:gosec // what the kernel takes has no other type
		return fmt.Errorf("set the format of %s: %w", o.path, err)
	}
	if f.width != uint32(width) || f.height != uint32(height) || f.pixel != o.format {
		return fmt.Errorf("%s makes %dx%d of %dx%d, format %x of %x", o.path, f.width, f.height, width, height, f.pixel, o.format)
	}
	p := streamParm{kind: bufTypeVideoOutput, numerator: 1, denominator: uint32(rate)}
	if err := o.ioctl(vidiocSParm, unsafe.Pointer(&p)); err != nil { //nolint:gosec // what the kernel takes has no other type
		return fmt.Errorf("set the rate of %s: %w", o.path, err)
	}
	// One who only writes is forgotten to have been a writer when it is gone, and the
	// device is of no use to the next one.
	kind := uint32(bufTypeVideoOutput)
	if err := o.ioctl(vidiocStreamOn, unsafe.Pointer(&kind)); err != nil { //nolint:gosec // what the kernel takes has no other type
		return fmt.Errorf("start %s: %w", o.path, err)
	}
	return nil
}

func (o *output) ioctl(request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(o.fd), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// write implements sink.
func (o *output) write(picture []byte) error {
	n, err := unix.Write(o.fd, picture)
	if err != nil {
		return fmt.Errorf("write to %s: %w", o.path, err)
	}
	if n != len(picture) {
		return fmt.Errorf("%s took %d of %d bytes of a picture", o.path, n, len(picture))
	}
	return nil
}
