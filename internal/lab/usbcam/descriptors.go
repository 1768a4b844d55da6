//go:build linux

package usbcam

import (
	"encoding/binary"
	"unicode/utf16"
)

// Types of descriptors (USB 2.0 table 9-5, UVC 1.1 table A-4).
const (
	typeDevice        = 1
	typeConfiguration = 2
	typeString        = 3
	typeInterface     = 4
	typeEndpoint      = 5
	typeAssociation   = 11
	typeClass         = 0x24
)

// Numbers of this camera's parts.
const (
	controlInterface   = 0
	streamingInterface = 1
	videoEndpoint      = 1
	cameraTerminal     = 1
	outputTerminal     = 2
)

// maxPacket is that of a bulk endpoint at high speed.
const maxPacket = 512

// maxPayload is the longest picture with its header, in bytes.
const maxPayload = 2 << 20

// clockFrequency is said and not used: no picture has a time of the device.
const clockFrequency = 1_000_000

// strings are what descriptors name by a number from 1 on.
func (c *Camera) strings() []string {
	return []string{"Sightline tests", c.o.Name, c.o.Serial}
}

func (c *Camera) device() []byte {
	return []byte{
		18, typeDevice, 0, 2, // USB 2.0
		0xef, 2, 1, // functions of several interfaces
		64,         // bytes a packet of the default pipe
		0x09, 0x12, // vendor: pid.codes
		0x01, 0x00, // product: for tests
		0, 1, // release 1.0
		1, 2, 3, // strings
		1, // configurations
	}
}

// text returns a string descriptor; nil if there is none of that number.
func (c *Camera) text(number int) []byte {
	if number == 0 {
		return []byte{4, typeString, 0x09, 0x04} // US English alone
	}
	all := c.strings()
	if number > len(all) {
		return nil
	}
	b := []byte{0, typeString}
	for _, u := range utf16.Encode([]rune(all[number-1])) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	b[0] = byte(len(b))
	return b
}

// configuration returns the camera's only configuration.
func (c *Camera) configuration() []byte {
	control, streaming := c.control(), c.streaming()
	b := []byte{9, typeConfiguration, 0, 0, 2, 1, 0, 0x80, 250}
	b = append(b, 8, typeAssociation, controlInterface, 2, 0x0e, 3, 0, 2)
	b = append(b, 9, typeInterface, controlInterface, 0, 0, 0x0e, 1, 0, 2)
	b = append(b, control...)
	b = append(b, 9, typeInterface, streamingInterface, 0, 1, 0x0e, 2, 0, 0)
	b = append(b, streaming...)
	b = append(b, 7, typeEndpoint, 0x80|videoEndpoint, 2, maxPacket&0xff, maxPacket>>8, 0)
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// control describes the way from the lens to USB (UVC 1.1 §3.7.2).
func (c *Camera) control() []byte {
	b := []byte{13, typeClass, 1, 0x10, 1, 0, 0}
	b = binary.LittleEndian.AppendUint32(b, clockFrequency)
	b = append(b, 1, streamingInterface)
	b = append(b, 18, typeClass, 2, cameraTerminal, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0)
	b = append(b, 9, typeClass, 3, outputTerminal, 0x01, 0x01, 0, cameraTerminal, 0)
	binary.LittleEndian.PutUint16(b[5:], uint16(len(b)))
	return b
}

// streaming describes the pictures (UVC 1.1 §3.9.2): of one format, size and rate.
func (c *Camera) streaming() []byte {
	b := []byte{14, typeClass, 1, 1, 0, 0, 0x80 | videoEndpoint, 0, outputTerminal, 0, 0, 0, 1, 0}
	format, frame := byte(0x06), byte(0x07)
	if c.o.Format == "MJPG" {
		b = append(b, 11, typeClass, format, 1, 1, 0, 1, 0, 0, 0, 0)
	} else {
		format, frame = 0x10, 0x11 // based on frames, of variable size
		b = append(b, 28, typeClass, format, 1, 1)
		b = append(b, c.o.Format...) // the GUID begins with the four letters
		b = append(b, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71)
		b = append(b, 16, 1, 0, 0, 0, 0, 1)
	}
	b = append(b, 30, typeClass, frame, 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(c.o.Width))
	b = binary.LittleEndian.AppendUint16(b, uint16(c.o.Height))
	b = binary.LittleEndian.AppendUint32(b, 1_000_000)  // bit/s, at least
	b = binary.LittleEndian.AppendUint32(b, 50_000_000) // and at most
	if frame == 0x07 {
		b = binary.LittleEndian.AppendUint32(b, maxPayload)
	}
	b = binary.LittleEndian.AppendUint32(b, c.interval())
	b = append(b, 1)
	if frame == 0x11 {
		b = binary.LittleEndian.AppendUint32(b, 0) // bytes a line: they vary
	}
	b = binary.LittleEndian.AppendUint32(b, c.interval())
	binary.LittleEndian.PutUint16(b[4:], uint16(len(b)))
	return b
}

// interval is the time from one picture to the next, in units of 100 ns.
func (c *Camera) interval() uint32 { return uint32(10_000_000 / c.o.Rate) }

// negotiation is what is agreed about the stream (UVC 1.1 §4.3.1.1): there is nothing
// to choose.
func (c *Camera) negotiation() []byte {
	b := []byte{1, 0, 1, 1}
	b = binary.LittleEndian.AppendUint32(b, c.interval())
	b = append(b, make([]byte, 10)...)
	b = binary.LittleEndian.AppendUint32(b, maxPayload)
	b = binary.LittleEndian.AppendUint32(b, maxPayload)
	b = binary.LittleEndian.AppendUint32(b, clockFrequency)
	return append(b, 0, 0, 0, 0)
}
