package fragment

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/sightline-cam/sightline/codecs"
)

// Digest is the SHA-256 of the units of one kind in a fragment: of their number,
// and for each of them of the number of its elements, and for each of those of its
// length and its bytes, all numbers with 32 bits, the most significant first.
// Times are no part of it.
type Digest [sha256.Size]byte

// DigestOf returns the digest of units.
func DigestOf(units []*codecs.Unit) Digest {
	h := sha256.New()
	var number [4]byte
	put := func(n int) {
		binary.BigEndian.PutUint32(number[:], uint32(n))
		h.Write(number[:])
	}
	put(len(units))
	for _, u := range units {
		put(len(u.Payload))
		for _, p := range u.Payload {
			put(len(p))
			h.Write(p)
		}
	}
	var d Digest
	h.Sum(d[:0])
	return d
}

// String is base64url without padding, 43 characters.
func (d Digest) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(text []byte) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil || len(b) != len(d) {
		return fmt.Errorf("%w: a digest has 43 characters of base64url", ErrMalformed)
	}
	copy(d[:], b)
	return nil
}
