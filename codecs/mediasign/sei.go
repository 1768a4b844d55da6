package mediasign

import (
	"bytes"
	"fmt"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/nal"
)

const (
	// userDataUnregistered is the payloadType of a message marked by a UUID (ITU-T
	// H.264 §D.1.7, H.265 §D.2.7).
	userDataUnregistered = 5
	// stopByte ends a message: the stop bit, which stands at the start of a byte
	// of its own.
	stopByte = 0x80
	// maxMessage bounds the messages that are looked at, in bytes.
	maxMessage = 256 << 10
)

// carries reports whether an SEI NAL unit has a message with one of the UUIDs.
func carries(codec codecs.Codec, data []byte, uuids ...[16]byte) bool {
	quick := false
	for _, id := range uuids {
		// No emulation prevention byte can be within this much of either UUID.
		quick = quick || bytes.Contains(data, id[2:])
	}
	if !quick || len(data) > maxMessage || len(data) < headerSize(codec) {
		return false
	}
	plain, _ := unescape(data)
	rest := plain[headerSize(codec):]
	for len(rest) > 2 {
		payloadType, n, err := messageHeader(rest)
		if err != nil {
			return false
		}
		size, m, err := messageHeader(rest[n:])
		if err != nil || size > len(rest)-n-m {
			return false
		}
		rest = rest[n+m:]
		for _, id := range uuids {
			if payloadType == userDataUnregistered && size >= len(id) && bytes.Equal(rest[:len(id)], id[:]) {
				return true
			}
		}
		rest = rest[size:]
	}
	return false
}

// messageHeader reads a number coded as a run of 255s and a smaller byte, and how
// many bytes it takes (ITU-T H.264 §7.3.2.3.1, H.265 §7.3.5).
func messageHeader(b []byte) (value, size int, err error) {
	for i, x := range b {
		value += int(x)
		if x != 255 {
			return value, i + 1, nil
		}
	}
	return 0, 0, fmt.Errorf("read an SEI header: cut off: %w", nal.ErrMalformed)
}

// appendMessageSize appends a number in that coding.
func appendMessageSize(dst []byte, n int) []byte {
	for ; n >= 255; n -= 255 {
		dst = append(dst, 255)
	}
	return append(dst, byte(n))
}

// seiHeader returns the NAL unit header of a message: SEI for H.264, prefix SEI of
// the base layer for H.265.
func seiHeader(codec codecs.Codec) []byte {
	if codec == codecs.H265 {
		return []byte{0x4e, 0x01}
	}
	return []byte{0x06}
}
