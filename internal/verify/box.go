package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// box is a box at the top of a file.
type box struct {
	kind     string
	at, size int64 // of the whole box
	header   int64
}

// readBox reads the header of the box at a place. A size of 0 means up to the end.
func readBox(r io.ReaderAt, at, end int64) (box, error) {
	var h [16]byte
	n, err := r.ReadAt(h[:min(16, end-at)], at)
	if n < 8 {
		return box{}, fmt.Errorf("read the box at %d: %w", at, orFormat(err))
	}
	b := box{kind: string(h[4:8]), at: at, size: int64(binary.BigEndian.Uint32(h[:])), header: 8}
	switch b.size {
	case 0:
		b.size = end - at
	case 1:
		b.size, b.header = int64(binary.BigEndian.Uint64(h[8:])), 16
	}
	if b.size < b.header || b.size > end-at || n < int(b.header) {
		return box{}, fmt.Errorf("the box %q at %d has %d bytes, %d are left: %w", b.kind, at, b.size, end-at, ErrFormat)
	}
	return b, nil
}

// orFormat returns a reading error, or ErrFormat if the file ended.
func orFormat(err error) error {
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // as io.ReaderAt returns them
		return ErrFormat
	}
	return err
}

// load reads a whole box into memory.
func (b box) load(r io.ReaderAt, limit int64) ([]byte, error) {
	if b.size > limit {
		return nil, fmt.Errorf("the box %q has %d bytes, at most %d are read: %w", b.kind, b.size, limit, ErrFormat)
	}
	data := make([]byte, b.size)
	if _, err := r.ReadAt(data, b.at); err != nil {
		return nil, fmt.Errorf("read the box %q at %d: %w", b.kind, b.at, orFormat(err))
	}
	return data, nil
}

// decode parses a box. What the library does not expect of a damaged file must
// not end the program.
func decode(data []byte, at int64) (parsed mp4.Box, err error) {
	defer func() {
		if p := recover(); p != nil {
			parsed, err = nil, fmt.Errorf("parse the box at %d: %v: %w", at, p, ErrFormat)
		}
	}()
	if err := sane(data, 0); err != nil {
		return nil, err
	}
	parsed, err = mp4.DecodeBoxSR(uint64(at), bits.NewFixedSliceReader(data))
	if err != nil {
		return nil, fmt.Errorf("parse the box at %d: %w: %w", at, err, ErrFormat)
	}
	return parsed, nil
}

// containers are the boxes that hold others and nothing else.
func container(kind string) bool {
	switch kind {
	case "moov", "trak", "mdia", "minf", "stbl", "edts", "mvex", "moof", "traf", "dinf":
		return true
	}
	return false
}

// sane makes sure that boxes end where those around them do, and that counts in
// them are not beyond their size: the library believes some.
func sane(data []byte, depth int) error {
	const deepest = 12
	for len(data) > 0 {
		if len(data) < 8 {
			return fmt.Errorf("%d bytes are no box: %w", len(data), ErrFormat)
		}
		size := int64(binary.BigEndian.Uint32(data))
		kind := string(data[4:8])
		if size < 8 || size > int64(len(data)) || depth > deepest {
			return fmt.Errorf("the box %q claims %d of %d bytes: %w", kind, size, len(data), ErrFormat)
		}
		body := data[8:size]
		if container(kind) {
			if err := sane(body, depth+1); err != nil {
				return err
			}
		} else if err := counted(kind, body); err != nil {
			return err
		}
		data = data[size:]
	}
	return nil
}

// counted checks the number of entries of a table.
func counted(kind string, body []byte) error {
	at, each := 4, 0
	switch kind {
	case "stts", "ctts", "elst":
		each = 8
	case "stsc":
		each = 12
	case "stco", "stss":
		each = 4
	case "co64":
		each = 8
	case "trun":
		return nil // the library checks it
	case "stsz":
		if len(body) < 12 || binary.BigEndian.Uint32(body[4:]) != 0 {
			return nil
		}
		at, each = 8, 4
	default:
		return nil
	}
	if len(body) < at+4 || int64(binary.BigEndian.Uint32(body[at:]))*int64(each) > int64(len(body)-at-4) {
		return fmt.Errorf("the table %q is cut off: %w", kind, ErrFormat)
	}
	return nil
}

// child returns the body of the first box of a kind inside data, and of those
// inside it that follow in path; nil if there is none. data was checked.
func child(data []byte, path ...string) []byte {
	for _, want := range path {
		var found []byte
		for rest := data; len(rest) >= 8 && found == nil; {
			size := binary.BigEndian.Uint32(rest)
			if size < 8 || int64(size) > int64(len(rest)) {
				return nil
			}
			if bytes.Equal(rest[4:8], []byte(want)) {
				found = rest[8:size]
			}
			rest = rest[size:]
		}
		if found == nil {
			return nil
		}
		data = found
	}
	return data
}
