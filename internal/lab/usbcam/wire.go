//go:build linux

package usbcam

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Commands (Documentation/usb/usbip_protocol.rst). All numbers are big endian.
const (
	cmdSubmit = 1
	cmdUnlink = 2
	retSubmit = 3
	retUnlink = 4

	headerBytes = 48
)

// Results, as the kernel has them.
const (
	stalled   = -32  // EPIPE
	unlinkedR = -104 // ECONNRESET
)

// urb is a request of the host.
type urb struct {
	number uint32
	length int // bytes that it has room for
}

// serve answers the host until the wire is cut.
func (c *Camera) serve() error {
	h := make([]byte, headerBytes)
	for {
		if _, err := io.ReadFull(c.wire, h); err != nil {
			return err
		}
		number, in := binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[12:]) == 1
		switch command := binary.BigEndian.Uint32(h); command {
		case cmdSubmit:
			length := int(binary.BigEndian.Uint32(h[24:]))
			var out []byte
			if !in {
				if length < 0 || length > maxPayload {
					return fmt.Errorf("the host sends %d bytes", length)
				}
				out = make([]byte, length)
				if _, err := io.ReadFull(c.wire, out); err != nil {
					return err
				}
			}
			if err := c.submitted(urb{number, length}, binary.BigEndian.Uint32(h[16:]), in, [8]byte(h[40:])); err != nil {
				return err
			}
		case cmdUnlink:
			if err := c.unlinked(number, binary.BigEndian.Uint32(h[20:])); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the host says %d, which is no command", command)
		}
	}
}

// submitted handles a request to an endpoint.
func (c *Camera) submitted(u urb, endpoint uint32, in bool, setup [8]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case endpoint == videoEndpoint && in:
		c.urbs = append(c.urbs, u)
		return c.deliver()
	case endpoint != 0:
		return c.reply(u.number, stalled, 0, nil)
	}
	data, ok := c.asked(setup)
	switch {
	case !ok:
		return c.reply(u.number, stalled, 0, nil)
	case in:
		data = data[:min(len(data), u.length)]
		return c.reply(u.number, 0, len(data), data)
	}
	return c.reply(u.number, 0, u.length, nil)
}

// unlinked takes a request back.
func (c *Camera) unlinked(number, which uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var status int32
	for i, u := range c.urbs {
		if u.number == which {
			c.urbs = append(c.urbs[:i], c.urbs[i+1:]...)
			c.payload = nil // the stream is being stopped
			status = unlinkedR
			break
		}
	}
	b := make([]byte, headerBytes)
	binary.BigEndian.PutUint32(b, retUnlink)
	binary.BigEndian.PutUint32(b[4:], number)
	binary.BigEndian.PutUint32(b[20:], uint32(status))
	_, err := c.wire.Write(b)
	return err
}

// deliver gives the host what it has asked for of the picture under way. The caller
// holds mu. A picture ends with a request that is not full.
func (c *Camera) deliver() error {
	for len(c.payload) > 0 && len(c.urbs) > 0 {
		u := c.urbs[0]
		c.urbs = c.urbs[1:]
		part := c.payload[:min(len(c.payload), u.length)]
		c.payload = c.payload[len(part):]
		if len(c.payload) == 0 && len(part) == u.length {
			c.payload = []byte{0} // after a picture zeros mean nothing
		}
		if err := c.reply(u.number, 0, len(part), part); err != nil {
			return err
		}
	}
	return nil
}

// reply ends a request. The caller holds mu.
func (c *Camera) reply(number uint32, status int32, length int, data []byte) error {
	b := make([]byte, headerBytes, headerBytes+len(data))
	binary.BigEndian.PutUint32(b, retSubmit)
	binary.BigEndian.PutUint32(b[4:], number)
	binary.BigEndian.PutUint32(b[20:], uint32(status))
	binary.BigEndian.PutUint32(b[24:], uint32(length))
	_, err := c.wire.Write(append(b, data...))
	return err
}

// asked answers a request to the default pipe (USB 2.0 §9.4, UVC 1.1 §4); false
// stalls it.
func (c *Camera) asked(setup [8]byte) ([]byte, bool) {
	const (
		getStatus, clearFeature, getDescriptor, setConfiguration, setInterface = 0, 1, 6, 9, 11
		setCur, getCur, getMin, getMax, getRes, getLen, getInfo, getDef        = 1, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87
		class                                                                  = 0x20
	)
	kind, request, value, index := setup[0], setup[1], binary.LittleEndian.Uint16(setup[2:]), binary.LittleEndian.Uint16(setup[4:])
	if kind&0x60 == class {
		if index != streamingInterface || value>>8 < 1 || value>>8 > 2 { // probe and commit
			return nil, false
		}
		switch request {
		case setCur:
			return nil, true
		case getCur, getMin, getMax, getDef:
			return c.negotiation(), true
		case getRes:
			return make([]byte, len(c.negotiation())), true
		case getLen:
			return []byte{byte(len(c.negotiation())), 0}, true
		case getInfo:
			return []byte{3}, true // it can be read and set
		}
		return nil, false
	}
	switch request {
	case getStatus:
		return []byte{0, 0}, true
	case clearFeature, setConfiguration, setInterface:
		return nil, true
	case getDescriptor:
		var d []byte
		switch value >> 8 {
		case typeDevice:
			d = c.device()
		case typeConfiguration:
			d = c.configuration()
		case typeString:
			d = c.text(int(value & 0xff))
		}
		return d, d != nil
	}
	return nil, false
}
