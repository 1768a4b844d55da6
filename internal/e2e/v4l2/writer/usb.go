//go:build linux

package main

import (
	"fmt"

	"github.com/sightline-cam/sightline/internal/lab/usbcam"
)

// usb is a camera at a virtual USB port. It implements sink.
type usb struct {
	options usbcam.Options
	plugged *usbcam.Camera // nil: it is out
}

// begin implements sink.
func (u *usb) begin(width, height, rate int) (err error) {
	u.options.Width, u.options.Height, u.options.Rate = width, height, rate
	u.plugged, err = usbcam.Plug(u.options)
	return err
}

// watched implements sink.
func (u *usb) watched() bool { return u.plugged != nil && u.plugged.Watched() }

// write implements sink.
func (u *usb) write(picture []byte) error {
	if u.plugged == nil {
		return nil
	}
	return u.plugged.Write(picture)
}

// unplug pulls it out.
func (u *usb) unplug() error {
	if u.plugged == nil {
		return fmt.Errorf("port %d has no camera", u.options.Port)
	}
	c := u.plugged
	u.plugged = nil
	return c.Unplug()
}

// plug puts it into a port.
func (u *usb) plug(port int) (err error) {
	u.options.Port = port
	u.plugged, err = usbcam.Plug(u.options)
	return err
}

// close implements sink.
func (u *usb) close() error {
	if u.plugged == nil {
		return nil
	}
	return u.unplug()
}
