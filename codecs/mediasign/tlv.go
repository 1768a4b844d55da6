package mediasign

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/codecs/nal"
)

// Tags of the message's parts (Media Signing, TLV tags).
const (
	tagGeneral      = 1
	tagHashes       = 2
	tagSignature    = 3
	tagCrypto       = 4
	tagVendor       = 5
	tagCertificates = 6
)

// hashSize is the length of a SHA-256.
const hashSize = 32

// tlvReader reads one part after another: a tag, two bytes of length, the value.
type tlvReader struct{ rest []byte }

func (r *tlvReader) next() (tag byte, value []byte, err error) {
	if len(r.rest) < 3 {
		return 0, nil, fmt.Errorf("a part is cut off: %w", nal.ErrMalformed)
	}
	tag = r.rest[0]
	n := int(binary.BigEndian.Uint16(r.rest[1:]))
	if n > len(r.rest)-3 {
		return 0, nil, fmt.Errorf("part %d has %d bytes, %d are left: %w", tag, n, len(r.rest)-3, nal.ErrMalformed)
	}
	value, r.rest = r.rest[3:3+n], r.rest[3+n:]
	return tag, value, nil
}

// appendTLV appends one part.
func appendTLV(dst []byte, tag byte, value []byte) []byte {
	dst = append(dst, tag)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(value)))
	return append(dst, value...)
}

// epoch1601 is the Unix epoch in units of 100 ns since 1601-01-01.
const epoch1601 = 116_444_736_000_000_000

// ticksOf returns microseconds since 1970 as units of 100 ns since 1601.
func ticksOf(unixMicro int64) uint64 { return uint64(unixMicro*10 + epoch1601) }

// timeOf is the inverse of ticksOf; zero if the time is before 1970 or after 9999.
func timeOf(ticks uint64) time.Time {
	const year9999 = epoch1601 + 253_402_300_799*10_000_000
	if ticks < epoch1601 || ticks > year9999 {
		return time.Time{}
	}
	t := ticks - epoch1601
	return time.Unix(int64(t/10_000_000), int64(t%10_000_000)*100).UTC()
}
