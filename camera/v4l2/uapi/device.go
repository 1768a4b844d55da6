package uapi

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"
	"unsafe"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// Device is an open video device. Its methods belong to one goroutine at a time, but for
// Wake, Monotonic and Path, which any may call.
//
// Errors of the driver name the device and the request and wrap a syscall.Errno: ENODEV
// is an unplugged device, EBUSY one that another program streams from. Answers that make
// no sense are an ErrAnswer.
type Device struct {
	// Constant after Open.
	kernel Kernel
	path   string
	fd     int
	waiter Waiter

	// Owned by the caller's goroutine.
	closed bool
	queue  queue
}

// ErrAnswer is wrapped by errors about a driver whose answer makes no sense.
var ErrAnswer = errors.New("the driver's answer makes no sense")

// Open opens a device. The error wraps the errno: syscall.ENOENT, EACCES, EBUSY or ENODEV,
// or errors.ErrUnsupported on systems without V4L2.
func Open(k Kernel, path string) (*Device, error) {
	fd, err := k.Open(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	w, err := k.NewWaiter(fd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: preparing to wait: %w", path, err), k.Close(fd))
	}
	return &Device{kernel: k, path: path, fd: fd, waiter: w}, nil
}

// Path is what the device was opened by.
func (d *Device) Path() string { return d.path }

// Monotonic is the time on the clock that frames are stamped with.
func (d *Device) Monotonic() time.Duration { return d.kernel.Monotonic() }

// Wake makes Wait return Woken: the one that waits, else the next. Any goroutine may call
// it at any time; after Close it does nothing.
func (d *Device) Wake() { d.waiter.Wake() }

// Capability says what the device is. The error of something that is no video device wraps
// syscall.ENOTTY.
func (d *Device) Capability() (Capability, error) {
	var c abi.Capability
	if err := ioctl(d, abi.QueryCap, "VIDIOC_QUERYCAP", &c); err != nil {
		return Capability{}, err
	}
	caps := c.Capabilities
	if caps&abi.CapDeviceCaps != 0 {
		caps = c.DeviceCaps
	}
	return Capability{
		Driver:  text(c.Driver[:]),
		Card:    text(c.Card[:]),
		BusInfo: text(c.BusInfo[:]),
		Version: c.Version,
		Caps:    caps,
	}, nil
}

// Close stops streaming and closes the device, also an unplugged one: ENODEV is no error
// then. A second call does nothing.
func (d *Device) Close() error {
	if d.closed {
		return nil
	}
	err := errors.Join(d.Stop(), d.waiter.Close())
	d.closed = true
	if closing := unlessGone(d.kernel.Close(d.fd)); closing != nil {
		err = errors.Join(err, d.failed("close", closing))
	}
	return err
}

// ioctl makes a request, which goes by the name of its documentation in errors.
func ioctl[T any](d *Device, request uint32, name string, arg *T) error {
	return d.ioctl(request, name, unsafe.Pointer(arg)) //nolint:gosec // requests take any structure
}

func (d *Device) ioctl(request uint32, name string, arg unsafe.Pointer) error {
	if d.closed {
		return d.failed(name, fs.ErrClosed)
	}
	if err := d.kernel.Ioctl(d.fd, request, arg); err != nil {
		return d.failed(name, err)
	}
	return nil
}

// failed is the error of what was done with the device.
func (d *Device) failed(what string, err error) error {
	return fmt.Errorf("%s: %s: %w", d.path, what, err)
}

// unlessGone is the error of giving something back, unless the device is unplugged: it has
// freed all of itself then.
func unlessGone(err error) error {
	if errors.Is(err, syscall.ENODEV) {
		return nil
	}
	return err
}

// nonsense is an ErrAnswer that says what the driver answered.
func (d *Device) nonsense(format string, args ...any) error {
	return fmt.Errorf("%s: %w: "+format, append([]any{d.path, ErrAnswer}, args...)...)
}
