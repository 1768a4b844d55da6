package fmp4

import (
	"encoding/binary"
	"fmt"
)

// boxHeader is the size of a box's length and type (ISO/IEC 14496-12 §4.2). Boxes
// of 4 GiB and more are not written, and refused.
const boxHeader = 8

// nextBox cuts the first box off b. The error wraps ErrMalformed.
func nextBox(b []byte) (kind string, body, rest []byte, err error) {
	if len(b) < boxHeader {
		return "", nil, nil, fmt.Errorf("%d bytes are no box: %w", len(b), ErrMalformed)
	}
	size := binary.BigEndian.Uint32(b)
	if size < boxHeader || int64(size) > int64(len(b)) {
		return "", nil, nil, fmt.Errorf("box %q claims %d of %d bytes: %w", b[4:8], size, len(b), ErrMalformed)
	}
	return string(b[4:8]), b[boxHeader:size], b[size:], nil
}

// child returns the body of the first box of a kind among those in b, and of
// those inside it that follow in path.
func child(b []byte, path ...string) ([]byte, error) {
	for _, want := range path {
		found := false
		for rest := b; len(rest) > 0 && !found; {
			kind, body, next, err := nextBox(rest)
			if err != nil {
				return nil, fmt.Errorf("look for %s: %w", want, err)
			}
			if found = kind == want; found {
				b = body
			}
			rest = next
		}
		if !found {
			return nil, fmt.Errorf("no box %s: %w", want, ErrMalformed)
		}
	}
	return b, nil
}

// openBox appends the header of a box; closeBox fills its length in.
func openBox(dst []byte, kind string) ([]byte, int) {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	return append(dst, kind...), at
}

func closeBox(dst []byte, at int) { binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at)) }

// uuidBytes is the length of the name of a box of one's own (§11.1).
const uuidBytes = 16

// The names of our own boxes, in the first one the next ones' order in a file.
const (
	headerUUID = "\xa2\x83\xd4\xf2\xbb\x4e\x46\xc8\xb2\x0d\x1c\xdf\x73\x9c\xf1\x5d"
	checkUUID  = "\xfb\xf0\xf7\xf8\xb1\x09\x4e\x0a\xb3\x86\x06\xec\xb1\xe3\xb9\xf8"
	timesUUID  = "\x97\xaa\x58\x4f\xf8\xaf\x46\x5f\xa8\x5c\x8f\x01\x4d\x8a\x52\xa0"
)

// isOwn reports whether the body of a uuid box is of the given name.
func isOwn(body []byte, uuid string) bool {
	return len(body) >= uuidBytes && string(body[:uuidBytes]) == uuid
}
