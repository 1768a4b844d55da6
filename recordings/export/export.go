package export

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// ErrNothing says that nothing is recorded in the range.
var ErrNothing = errors.New("nothing is recorded in that time")

// Export is an MP4 file that is made while it is read. It is an io.ReadSeeker and an
// io.Closer. Not safe for concurrent use.
type Export struct {
	// Constant after construction.
	ctx    context.Context
	open   Opener
	layout *layout

	pos     int64
	damaged int
	lost    []recordings.Range // of fragments that could not be understood

	// The segment that is open, and its part; nil if none is.
	media Media
	part  *part
	// next is the number of the part's fragment whose place in the export is nextAt.
	next   int
	nextAt int64

	// piece is what the export has at pieceAt: the fragment read last.
	piece   []byte
	pieceAt int64
	buffer  []byte // what piece is a part of
}

// New lays out the export of a range of one stream. segments have their Fragments;
// those outside the range are left alone. It begins with the key frame at or before
// r.From and ends with the fragment that r.To lies in. Only the beginnings of the
// segments and the places of their first and last pictures and sound are read. The
// error wraps ErrNothing if there is nothing to export.
//
// ctx also ends reading.
func New(ctx context.Context, open Opener, segments []recordings.Segment, r recordings.Range, o Options) (*Export, error) {
	chosen := choose(segments, r)
	if len(chosen) == 0 {
		return nil, fmt.Errorf("export from %v to %v: %w", r.From, r.To, ErrNothing)
	}
	l, err := newLayout(ctx, open, chosen, o)
	if err != nil {
		return nil, err
	}
	return &Export{ctx: ctx, open: open, layout: l, damaged: l.damaged, pieceAt: -1}, nil
}

// Size returns the size of the file in bytes.
func (e *Export) Size() int64 { return e.layout.size }

// Range returns what the export covers: from its first key frame to the end of its
// last fragment.
func (e *Export) Range() recordings.Range {
	parts := e.layout.parts
	return recordings.Range{From: parts[0].seg.Fragments[0].Start, To: parts[len(parts)-1].last().End()}
}

// Gaps returns the times inside Range in which nothing is recorded, in order.
func (e *Export) Gaps() (gaps []recordings.Range) {
	for i := 1; i < len(e.layout.parts); i++ {
		if g := e.layout.parts[i-1].gapTo(e.layout.parts[i]); !g.Empty() {
			gaps = append(gaps, g)
		}
	}
	return gaps
}

// Damaged returns how many fragments could not be understood, of those read so far
// and of those in segments whose beginning could not or whose end is missing. There is nothing in the export
// where they would be; its size is as it was promised.
func (e *Export) Damaged() int { return e.damaged }

// Lost returns the times of the fragments read so far that could not be understood, in
// the order in which they were read. Gaps does not have them.
func (e *Export) Lost() []recordings.Range { return slices.Clone(e.lost) }

// lose notes that a fragment could not be understood.
func (e *Export) lose(f recordings.Fragment) {
	e.damaged++
	if n := len(e.lost); n > 0 && e.lost[n-1].To == f.Start {
		e.lost[n-1].To = f.End()
		return
	}
	e.lost = append(e.lost, recordings.Range{From: f.Start, To: f.End()})
}

// Read implements io.Reader. An error says what could not be read.
func (e *Export) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	if e.pos >= e.layout.size {
		return 0, io.EOF
	}
	if head := e.layout.head; e.pos < int64(len(head)) {
		n = copy(p, head[e.pos:])
		e.pos += int64(n)
		return n, nil
	}
	if e.pieceAt < 0 || e.pos < e.pieceAt || e.pos >= e.pieceAt+int64(len(e.piece)) {
		if err := e.fetch(); err != nil {
			return 0, err
		}
	}
	n = copy(p, e.piece[e.pos-e.pieceAt:])
	e.pos += int64(n)
	return n, nil
}

// Seek implements io.Seeker. It reads nothing.
func (e *Export) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += e.pos
	case io.SeekEnd:
		offset += e.layout.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return e.pos, fmt.Errorf("seek to %d in an export of %d bytes: impossible", offset, e.layout.size)
	}
	e.pos = offset
	return offset, nil
}

// Close closes the segments. Idempotent.
func (e *Export) Close() error {
	m := e.media
	e.media, e.part, e.piece, e.buffer, e.pieceAt = nil, nil, nil, nil, -1
	if m == nil {
		return nil
	}
	return m.Close()
}

// fetch makes piece the fragment that pos lies in.
func (e *Export) fetch() error {
	if err := e.ctx.Err(); err != nil {
		return err
	}
	parts := e.layout.parts
	p := parts[sort.Search(len(parts), func(i int) bool { return parts[i].offset > e.pos })-1]
	if p != e.part {
		if err := e.begin(p); err != nil {
			return fmt.Errorf("export %v of %v: %w", p.seg.Start, p.seg.Stream, err)
		}
	}
	if e.pos < e.nextAt {
		e.next, e.nextAt = 0, p.offset
	}
	for {
		f := p.seg.Fragments[e.next]
		number, at := e.next, e.nextAt
		size := p.bytes(f)
		e.next, e.nextAt = e.next+1, at+size-fmp4.CheckBytes
		if e.pos < e.nextAt {
			return e.read(p, number, at, f.Offset, size)
		}
	}
}

// begin opens the segment of a part.
func (e *Export) begin(p *part) error {
	old := e.media
	e.media, e.part = nil, nil
	if old != nil {
		if err := old.Close(); err != nil {
			return err
		}
	}
	m, err := e.open(e.ctx, p.seg.Ref)
	if err != nil {
		return err
	}
	e.media, e.part, e.next, e.nextAt = m, p, 0, p.offset
	return nil
}

// read reads the fragment with a number from its offset in the segment and edits it.
func (e *Export) read(p *part, number int, at, offset, size int64) error {
	e.pieceAt = -1
	if int64(cap(e.buffer)) < size {
		e.buffer = make([]byte, size+size/4)
	}
	b := e.buffer[:size]
	n, err := e.media.ReadAt(b, offset)
	if n < len(b) && !damaged(err) {
		return fmt.Errorf("export %v of %v: read %d bytes at %d: %w", p.seg.Fragments[number].Start, p.seg.Stream, size, offset, err)
	}
	var piece []byte
	if n == len(b) {
		piece, err = fmp4.Rewrite(b, p.edit(number, e.layout.tracks[p.pictureTrack-1].Delay))
	}
	if n < len(b) || err != nil {
		e.lose(p.seg.Fragments[number])
		piece = b[fmp4.CheckBytes:]
		clear(piece)
		binary.BigEndian.PutUint32(piece, uint32(len(piece)))
		copy(piece[4:], "free")
	}
	e.piece, e.pieceAt = piece, at
	return nil
}
