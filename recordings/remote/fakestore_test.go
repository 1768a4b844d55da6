package remote

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/fragment"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

// shelf is a store that keeps what tapes write in memory.
type shelf struct {
	mu       sync.Mutex
	segments []*shelved
	pauses   []recordings.Pause
	events   []recordings.Event
	fail     error // of writes
	deleted  int
	changed  chan struct{} // capacity 1; nil if nobody waits
}

// shelved is a segment.
type shelved struct {
	ref    recordings.Ref
	origin recordings.Origin
	before recordings.Cause
	pieces []piece
}

// piece is a fragment of it.
type piece struct {
	start, end recordings.Time
	video      []*codecs.Unit
	audio      []*codecs.Unit
}

type noWriter struct{}

func (noWriter) Append(recordings.Fragment, []byte) error { return nil }
func (noWriter) Close() error                             { return nil }

func (s *shelf) Create(_ context.Context, seg recordings.Segment, _ []byte) (recordings.Writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	s.segments = append(s.segments, &shelved{ref: seg.Ref, origin: seg.Origin, before: seg.Before})
	return noWriter{}, nil
}

func (s *shelf) Past(_ context.Context, name recordings.Stream) (recorder.Past, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var p recorder.Past
	for _, seg := range s.segments {
		if seg.ref.Stream == name && len(seg.pieces) > 0 {
			p.End = max(p.End, seg.pieces[len(seg.pieces)-1].end)
		}
	}
	return p, nil
}

func (s *shelf) KeyFrames(_ context.Context, name recordings.Stream, r recordings.Range, most int) (out []recordings.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		for _, p := range seg.pieces {
			if seg.ref.Stream == name && p.start >= r.From && p.start < r.To {
				out = append(out, p.start)
			}
		}
	}
	slices.Sort(out)
	return out[:min(len(out), most)], nil
}

func (s *shelf) Delete(_ context.Context, refs ...recordings.Ref) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments = slices.DeleteFunc(s.segments, func(seg *shelved) bool {
		gone := slices.Contains(refs, seg.ref)
		if gone {
			s.deleted++
		}
		return gone
	})
	return nil
}

func (s *shelf) Pauses(_ context.Context, _ string, r recordings.Range) (out []recordings.Pause, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pauses {
		if p.Overlaps(r) {
			out = append(out, p)
		}
	}
	return out, nil
}

func (s *shelf) Events(_ context.Context, _ string, r recordings.Range, _ int) (out []recordings.Event, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Overlaps(r) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (s *shelf) set(change func(*shelf)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// shelfTape is a tape that writes to a shelf.
type shelfTape struct {
	o       recorder.TapeOptions
	shelf   *shelf
	segment *shelved
	cause   recordings.Cause
	end     recordings.Time
}

func (s *shelf) tape(o recorder.TapeOptions) Tape {
	return &shelfTape{o: o, shelf: s, end: o.Past.End}
}

func (t *shelfTape) SetTracks(codecs.Track, *codecs.Track) {}

func (t *shelfTape) Write(ctx context.Context, video, audio []*codecs.Unit, end recordings.Time) error {
	if len(video) == 0 || !video[0].Key {
		return errors.New("a fragment that begins with no key frame")
	}
	start := recordings.Time(video[0].At)
	if t.segment != nil && start.Sub(t.end).Abs().Milliseconds() > 2 {
		t.segment = nil // the times step
	}
	if t.segment == nil {
		seg := recordings.Segment{Ref: recordings.Ref{Stream: t.o.Stream, Start: start}, Origin: t.o.Origin, Before: t.cause}
		if _, err := t.o.Store.Create(ctx, seg, nil); err != nil {
			return err
		}
		t.shelf.mu.Lock()
		t.segment = t.shelf.segments[len(t.shelf.segments)-1]
		t.shelf.mu.Unlock()
		t.cause = ""
	}
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	if t.shelf.fail != nil {
		t.segment = nil
		return t.shelf.fail
	}
	t.segment.pieces = append(t.segment.pieces, piece{start, end, video, audio})
	t.end = end
	select {
	case t.shelf.changed <- struct{}{}:
	default:
	}
	return nil
}

func (t *shelfTape) Break(cause recordings.Cause, _ recordings.Time) error {
	t.segment = nil
	if t.cause == "" {
		t.cause = cause
	}
	return nil
}

func (t *shelfTape) End() recordings.Time { return t.end }
func (t *shelfTape) Generation() int      { return 0 }
func (t *shelfTape) Close() error         { t.segment = nil; return nil }

// pieces returns all that is recorded of a stream in order, and fails the test if
// anything overlaps.
func (s *shelf) pieces(t *testing.T, name recordings.Stream) (out []piece) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		if seg.ref.Stream == name {
			out = append(out, seg.pieces...)
		}
	}
	slices.SortStableFunc(out, func(a, b piece) int { return int(a.start - b.start) })
	for i := 1; i < len(out); i++ {
		if out[i-1].end > out[i].start {
			t.Errorf("recordings overlap: one ends at %v, the next begins at %v", out[i-1].end, out[i].start)
		}
	}
	return out
}

// origins returns how many segments came how, and the pieces in them.
func (s *shelf) origins(name recordings.Stream) (live, backfilled, livePieces, backfilledPieces int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		if seg.ref.Stream != name || len(seg.pieces) == 0 {
			continue
		}
		if seg.origin == recordings.Backfill {
			backfilled++
			backfilledPieces += len(seg.pieces)
		} else {
			live++
			livePieces += len(seg.pieces)
		}
	}
	return live, backfilled, livePieces, backfilledPieces
}

// compare says how what is recorded differs from what a camera has made: how many
// pictures are missing, there twice, and with another time.
func compare(made []*codecs.Unit, recorded []piece) (lacking, twice, otherwise int) {
	type seen struct {
		at int64
		n  int
	}
	all := make(map[fragment.Digest]*seen, len(made))
	for _, u := range made {
		all[fragment.DigestOf([]*codecs.Unit{u})] = &seen{at: u.At}
	}
	for _, p := range recorded {
		for _, u := range p.video {
			s := all[fragment.DigestOf([]*codecs.Unit{u})]
			if s == nil {
				otherwise++
				continue
			}
			if s.n++; s.at != u.At {
				otherwise++
			}
		}
	}
	for _, s := range all {
		if s.n == 0 {
			lacking++
		}
		if s.n > 1 {
			twice++
		}
	}
	return lacking, twice, otherwise
}
