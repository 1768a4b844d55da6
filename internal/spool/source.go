package spool

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/sightline-cam/sightline/internal/fragment"
)

// portion is how much of a fragment on disk is in memory at a time.
const portion = 64 << 10

// fragmentMagic is what every fragment begins with.
const fragmentMagic = "SL"

// source is an encoded fragment that is read a portion at a time.
type source struct {
	io.ReaderAt
	entry fragment.Entry
	size  int
	held  int // bytes of memory that it keeps
	close func()
}

// open opens a fragment; one on disk is verified. Errors: ErrGone.
func (s *Spool) open(rendition string, seq uint64) (*source, error) {
	number, ok := s.rendition(rendition)
	if !ok {
		return nil, ErrGone
	}
	s.mu.Lock()
	g := &s.rings[number]
	i, found := g.find(seq)
	if !found {
		s.mu.Unlock()
		return nil, ErrGone
	}
	r := g.records[i]
	encoded, at, offset := r.memory, r.file, r.offset
	s.mu.Unlock()
	if encoded != nil {
		return &source{
			ReaderAt: bytes.NewReader(encoded), entry: r.describe(encoded), size: len(encoded), held: len(encoded), close: func() {},
		}, nil
	}
	src, err := s.disk.source(at, offset, r)
	if err != nil {
		s.drop(r, at)
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return src, nil
}

// source opens a fragment that is not in memory.
func (d *disk) source(f *logFile, offset int64, r *record) (*source, error) {
	if f == nil {
		return nil, ErrGone
	}
	file, err := d.spool.o.files.Open(f.path)
	if err != nil {
		return nil, err
	}
	there, err := verify(file, offset, r.seq)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &source{
		ReaderAt: io.NewSectionReader(file, offset+recordHeader, int64(there.bytes)),
		entry:    there.entry, size: there.bytes, held: portion, close: func() { _ = file.Close() }, // only read
	}, nil
}

// verify reads the record at an offset, a portion at a time, and reports what it is
// if it is the one that was written there.
func verify(f readable, offset int64, seq uint64) (*record, error) {
	header := make([]byte, recordHeader)
	if _, err := f.ReadAt(header, offset); err != nil {
		return nil, fmt.Errorf("read a record: %w", err)
	}
	r, want, err := parseHeader(header)
	if err != nil {
		return nil, err
	}
	if r.seq != seq {
		return nil, errTorn
	}
	sum := crc32.New(castagnoli())
	body := io.NewSectionReader(f, offset+recordHeader, int64(r.bytes))
	if n, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{body}, make([]byte, portion)); err != nil || n != int64(r.bytes) {
		return nil, fmt.Errorf("read a record: %d of %d bytes: %w", n, r.bytes, errors.Join(err, errTorn))
	}
	if start := header[:len(fragmentMagic)]; sum.Sum32() == want {
		if _, err := f.ReadAt(start, offset+recordHeader); err == nil && string(start) == fragmentMagic {
			return r, nil
		}
	}
	return nil, errTorn
}
