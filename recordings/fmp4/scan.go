package fmp4

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/sightline-cam/sightline/recordings"
)

// scanBuffer is how much is read at a time to verify.
const scanBuffer = 256 << 10

// Scan yields the whole fragments from an offset on, which is where one begins; 0
// means the first. Only the checks in front of them are read; with verify
// everything is, and compared with its checksum. good is the offset after the last
// whole fragment that was yielded. The error is nil at a clean end or when yield
// returned false, wraps ErrTorn if what follows is no whole fragment that continues
// the one before, and is the reader's otherwise.
func (f *File) Scan(from int64, verify bool, yield func(recordings.Fragment) bool) (good int64, err error) {
	if from == 0 {
		from = f.InitBytes
	}
	good = from
	var last check
	var buffer []byte
	if verify {
		buffer = make([]byte, scanBuffer)
	}
	for good < f.size {
		c, err := f.readCheck(good)
		if err != nil {
			return good, err
		}
		if err := f.follows(good, c, last); err != nil {
			return good, err
		}
		if verify {
			if err := f.verifyBody(good, c, buffer); err != nil {
				return good, err
			}
		}
		last = c
		c.fragment.Offset = good
		good += c.fragment.Bytes
		if !yield(c.fragment) {
			break
		}
	}
	return good, nil
}

// readCheck reads the check of the fragment at an offset, which has to lie in the
// file as a whole.
func (f *File) readCheck(at int64) (c check, err error) {
	var b [CheckBytes]byte
	if f.size-at < CheckBytes {
		return c, fmt.Errorf("%d bytes at %d: %w", f.size-at, at, ErrTorn)
	}
	if err := readFull(f.r, b[:], at); err != nil {
		return c, asTorn(err)
	}
	if c, err = parseCheck(b[:]); err != nil {
		return c, fmt.Errorf("at %d: %w: %w", at, err, ErrTorn)
	}
	if c.fragment.Bytes > f.size-at {
		return c, fmt.Errorf("%d of %d bytes at %d: %w", f.size-at, c.fragment.Bytes, at, ErrTorn)
	}
	return c, nil
}

// asTorn makes a file that ended early, while being read, a torn one.
func asTorn(err error) error {
	if errors.Is(err, ErrMalformed) {
		return fmt.Errorf("%w: %w", err, ErrTorn)
	}
	return err
}

// follows says what is wrong with a fragment after the one before, of which there
// is none if its sequence is 0.
func (f *File) follows(at int64, c, last check) error {
	switch {
	case c.tag != f.tag() && (last.sequence > 0 && c.tag != last.tag || !f.Damaged):
		return fmt.Errorf("a fragment of another segment at %d: %w", at, ErrTorn)
	case last.sequence == 0 && at == f.InitBytes && c.sequence != 1,
		last.sequence > 0 && c.sequence != last.sequence+1:
		return fmt.Errorf("fragment %d after %d at %d: %w", c.sequence, last.sequence, at, ErrTorn)
	case last.sequence > 0 && c.fragment.Start != last.fragment.End():
		return fmt.Errorf("a fragment from %v after one that ends at %v, at %d: %w",
			c.fragment.Start, last.fragment.End(), at, ErrTorn)
	}
	return nil
}

// verifyBody compares what follows a check with its checksum.
func (f *File) verifyBody(at int64, c check, buffer []byte) error {
	sum := uint32(0)
	pos, end := at+CheckBytes, at+c.fragment.Bytes
	for pos < end {
		b := buffer[:min(int64(len(buffer)), end-pos)]
		if err := readFull(f.r, b, pos); err != nil {
			return asTorn(err)
		}
		sum = crc32.Update(sum, castagnoli(), b)
		pos += int64(len(b))
	}
	if sum != c.body {
		return fmt.Errorf("%d bytes at %d do not match their checksum: %w", c.fragment.Bytes, at, ErrTorn)
	}
	return nil
}

// Next returns the offset of the first undamaged fragment at or after an offset:
// where to go on after Scan has found damage. The error is io.EOF if there is none.
func (f *File) Next(from int64) (int64, error) {
	sign := []byte("uuid" + checkUUID)
	const signAt = 4 // in the fragment
	buffer := make([]byte, scanBuffer)
	verify := make([]byte, scanBuffer)
	for pos := max(from, f.InitBytes); f.size-pos >= CheckBytes; {
		b := buffer[:min(int64(len(buffer)), f.size-pos)]
		if err := readFull(f.r, b, pos); err != nil {
			return 0, err
		}
		i := bytes.Index(b[signAt:], sign)
		if i < 0 {
			pos += int64(len(b) - signAt - len(sign) + 1)
			continue
		}
		pos += int64(i)
		c, err := f.readCheck(pos)
		if err == nil && (c.tag == f.tag() || f.Damaged) {
			err = f.verifyBody(pos, c, verify)
			if err == nil {
				return pos, nil
			}
		}
		if err != nil && !errors.Is(err, ErrTorn) {
			return 0, err
		}
		pos++
	}
	return 0, io.EOF
}
