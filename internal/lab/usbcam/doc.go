// Package usbcam is a USB camera in Go, for tests of the kernel's driver of such
// cameras: plugged into the machine by the kernel's virtual host controller (vhci_hcd,
// which USB/IP is made with: Documentation/usb/usbip_protocol.rst), it is a device of
// the USB Video Class 1.1 with a bulk endpoint, and can be pulled out at any moment.
//
// It needs root, and the modules vhci_hcd and uvcvideo.
package usbcam
