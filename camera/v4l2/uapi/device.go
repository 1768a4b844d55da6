package uapi

import (
	"errors"
	"time"
)

// Device is an open video device. Its methods belong to one goroutine, but Wake and
// Monotonic, which any may call. Errors of the driver wrap a syscall.Errno: ENODEV is an
// unplugged device, EBUSY one that another program uses.
type Device struct {
	kernel Kernel
	path   string
}

var errNotYet = errors.New("not yet")

// Open opens a device. The error wraps the errno, for example syscall.EACCES.
func Open(k Kernel, path string) (*Device, error) { return &Device{kernel: k, path: path}, errNotYet }

// Capability says what the device is.
func (d *Device) Capability() (Capability, error) { return Capability{}, errNotYet }

// Formats lists what the device can deliver.
func (d *Device) Formats(BufType) ([]FormatDesc, error) { return nil, errNotYet }

// FrameSizes lists the sizes of a format.
func (d *Device) FrameSizes(FourCC) ([]FrameSize, error) { return nil, errNotYet }

// FrameIntervals lists the frame intervals at a size.
func (d *Device) FrameIntervals(f FourCC, width, height uint32) ([]FrameInterval, error) {
	return nil, errNotYet
}

// Format is the format that is set.
func (d *Device) Format(BufType) (Pix, error) { return Pix{}, errNotYet }

// SetFormat sets the format and returns what the driver made of it.
func (d *Device) SetFormat(BufType, Pix) (Pix, error) { return Pix{}, errNotYet }

// SetInterval sets the frame interval and returns what the driver made of it.
func (d *Device) SetInterval(BufType, Fraction) (Fraction, error) { return Fraction{}, errNotYet }

// Controls lists the controls.
func (d *Device) Controls() ([]Control, error) { return nil, errNotYet }

// Control is a control's value.
func (d *Device) Control(id uint32) (int64, error) { return 0, errNotYet }

// SetControl sets a control, or presses a button.
func (d *Device) SetControl(id uint32, value int64) error { return errNotYet }

// Map takes count buffers.
func (d *Device) Map(t BufType, count int) (int, error) { return 0, errNotYet }

// Start starts streaming.
func (d *Device) Start() error { return errNotYet }

// Dequeue takes a frame.
func (d *Device) Dequeue() (Frame, error) { return Frame{}, errNotYet }

// Queue gives a buffer back.
func (d *Device) Queue(index int) error { return errNotYet }

// Stop stops streaming and gives the buffers back.
func (d *Device) Stop() error { return errNotYet }

// Wait waits for a frame.
func (d *Device) Wait(timeout time.Duration) (Event, error) { return TimedOut, errNotYet }

// Wake ends Wait.
func (d *Device) Wake() {}

// Monotonic is the time that frames are stamped with.
func (d *Device) Monotonic() time.Duration { return d.kernel.Monotonic() }

// Path is what the device was opened by.
func (d *Device) Path() string { return d.path }

// Close stops and closes.
func (d *Device) Close() error { return nil }
