package retention

import (
	"context"
	"math"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

const (
	// page is how many segments are read at a time, and wanted how many candidates
	// of a kind are enough for a batch.
	page, wanted = 64, 32
	// pages is how many are read for a question in a pass.
	pages = 16
	// rescan is how often everything is looked at again: locks are taken away.
	rescan = 10 * time.Minute
)

// question is what segments are looked for: the oldest of a stream that are not
// locked.
type question struct {
	stream recordings.Stream
	dir    string // only those that lie there; empty: anywhere
	events bool   // those that belong to events, too
	after  recordings.Time
}

// questions returns those whose answers a plan needs for a stream.
func questions(s *State, info recordings.StreamInfo) (q []question) {
	c := s.Cameras[info.Camera]
	first := recordings.Time(math.MinInt64)
	if c.Keep > 0 && s.age(info.From) > c.Keep || c.MaxBytes > 0 && c.Bytes-c.Locked > c.MaxBytes {
		q = append(q, question{info.Stream, "", false, first}, question{info.Stream, "", true, first})
	}
	for _, d := range s.Disks {
		if d.Free < d.Low {
			q = append(q, question{info.Stream, d.ID, false, first}, question{info.Stream, d.ID, true, first})
		}
	}
	// What was recorded with a clock that was far ahead comes last, whenever it was.
	if future := s.Now.Add(clockAhead); info.To > future && (len(q) > 0 || c.Keep > 0) {
		q = append(q, question{info.Stream, "", true, future})
	}
	return q
}

// scanner answers questions. It remembers up to where there is nothing, so that the
// many segments that are kept for their events are not read again in every pass.
type scanner struct {
	store Store
	until map[question]recordings.Time // nothing that is asked for starts up to then
	since time.Time
	moved bool // something was passed over in this pass, and there may be more behind
	locks map[string][]recordings.Range
}

func newScanner(s Store) scanner { return scanner{store: s} }

// begin begins a pass.
func (s *scanner) begin(now time.Time) {
	if s.until == nil || now.Sub(s.since) >= rescan {
		s.until, s.since = make(map[question]recordings.Time), now
	}
	s.moved = false
	s.locks = make(map[string][]recordings.Range)
}

// scan returns the oldest segments that are asked for. What it learns of events and
// locks it adds to the camera.
func (s *scanner) scan(ctx context.Context, q question, cameras map[string]Camera) (found []Segment, err error) {
	after, known := s.until[q]
	if !known {
		after = q.after
	}
	for range pages {
		list, err := s.store.Oldest(ctx, q.stream, after, page)
		if err != nil || len(list) == 0 {
			return found, err
		}
		c, err := s.learn(ctx, cameras, q.stream.Camera, list)
		if err != nil {
			return nil, err
		}
		for _, seg := range list {
			if s.fits(q, c, seg) {
				found = append(found, Segment{Ref: seg.Ref, End: seg.End, Dir: seg.Dir, Bytes: seg.Bytes})
			} else if len(found) == 0 {
				s.until[q] = seg.Start - 1 // another may start with it
			}
		}
		if len(found) >= wanted || len(list) < page {
			return found, nil
		}
		after = list[len(list)-1].Start
	}
	s.moved = s.moved || len(found) == 0
	return found, nil
}

func (s *scanner) fits(q question, c Camera, seg recordings.Segment) bool {
	r := recordings.Range{From: seg.Start, To: max(seg.End, seg.Start+1)}
	return (q.dir == "" || seg.Dir == q.dir) && !touches(c.Locks, r, 0, 0) && (q.events || !touches(c.Events, r, c.Before, c.After))
}

// learn adds to the camera what concerns the segments.
func (s *scanner) learn(ctx context.Context, cameras map[string]Camera, id string, list []recordings.Segment) (Camera, error) {
	c := cameras[id]
	if _, known := s.locks[id]; !known {
		locks, err := s.store.Locks(ctx, id, always())
		if err != nil {
			return c, err
		}
		for _, l := range locks {
			c.Locks = append(c.Locks, l.Range)
		}
		s.locks[id] = c.Locks
	}
	span := recordings.Range{From: list[0].Start, To: list[0].End}
	for _, seg := range list {
		span.To = max(span.To, seg.End)
	}
	if c.KeepEvents > c.Keep {
		events, err := s.store.Events(ctx, id, recordings.Range{From: span.From.Add(-c.After), To: span.To.Add(c.Before)}, 0)
		if err != nil {
			return c, err
		}
		for _, e := range events {
			if n := len(c.Events); n == 0 || c.Events[n-1] != e.Range {
				c.Events = append(c.Events, e.Range)
			}
		}
	}
	cameras[id] = c
	return c, nil
}

// unique returns each segment once.
func unique(list []Segment) []Segment {
	seen := make(map[recordings.Ref]bool, len(list))
	out := list[:0]
	for _, seg := range list {
		if !seen[seg.Ref] {
			seen[seg.Ref] = true
			out = append(out, seg)
		}
	}
	return out
}
