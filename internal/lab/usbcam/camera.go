//go:build linux

package usbcam

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Options say what camera it is.
type Options struct {
	// Name is that of the product, Serial its number.
	Name, Serial string
	// Format is "MJPG", or that of what else is made of frames: "H264".
	Format string
	// Width and Height are the size of the pictures, Rate how many come a second.
	Width, Height, Rate int
	// Port is where it is plugged in: 0 to 7.
	Port int
}

// Camera is a camera that is plugged in.
type Camera struct {
	// constant after Plug
	o     Options
	wire  *os.File
	ended chan struct{} // closed when it is out

	mu      sync.Mutex
	urbs    []urb  // of the video endpoint, oldest first; guarded by mu
	payload []byte // what is left of the picture under way; guarded by mu
	odd     bool   // the frame bit of the next picture; guarded by mu
	err     error  // of the wire; guarded by mu
}

// controller is the virtual host controller.
const controller = "/sys/devices/platform/vhci_hcd.0/"

// highSpeed is USB_SPEED_HIGH.
const highSpeed = 3

// Plug plugs a camera in. The kernel takes some tenths of a second to know it.
func Plug(o Options) (*Camera, error) {
	if len(o.Format) != 4 || o.Rate <= 0 {
		return nil, fmt.Errorf("a camera of format %q with %d pictures a second cannot be", o.Format, o.Rate)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("a wire for a camera: %w", err)
	}
	if err := unix.SetNonblock(pair[0], true); err != nil { // so that Close ends a read
		return nil, fmt.Errorf("a wire for a camera: %w", err)
	}
	c := &Camera{o: o, wire: os.NewFile(uintptr(pair[0]), "usb"), ended: make(chan struct{})}
	err = os.WriteFile(controller+"attach", fmt.Appendf(nil, "%d %d %d %d", o.Port, pair[1], 1<<16|o.Port+1, highSpeed), 0)
	_ = unix.Close(pair[1]) // the kernel holds it
	if err != nil {
		_ = c.wire.Close() // nothing was written
		return nil, fmt.Errorf("plug a camera in: %w", err)
	}
	go func() {
		defer close(c.ended)
		err := c.serve()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err = errors.Join(errors.New("the camera is out"), err)
	}()
	return c, nil
}

// Unplug pulls the camera out, whatever is under way.
func (c *Camera) Unplug() error {
	if err := os.WriteFile(controller+"detach", fmt.Append(nil, c.o.Port), 0); err != nil {
		return fmt.Errorf("pull a camera out: %w", err)
	}
	<-c.ended
	return c.wire.Close()
}

// Watched reports whether somebody streams from the camera. The first picture then
// should be a key frame.
func (c *Camera) Watched() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.urbs) > 0 || len(c.payload) > 0
}

// Write shows a picture, unless nobody watches, or the last one was not taken yet.
func (c *Camera) Write(picture []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || len(c.urbs) == 0 || len(c.payload) > 0 {
		return c.err
	}
	const header, endOfHeader, endOfFrame = 2, 0x80, 2
	flags := byte(endOfHeader | endOfFrame)
	if c.odd {
		flags |= 1
	}
	c.odd = !c.odd
	c.payload = append([]byte{header, flags}, picture...)
	return c.deliver()
}
