package index

import (
	"errors"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// What flags of a row mean.
const (
	flagOpen      = 1
	flagTombstone = 2
)

// maxGaps is how many gaps a segment's header holds.
const maxGaps = 16

var errSegment = errors.New("no segment is like that")

// row is a segment as the database has it: with keys in place of names.
type row struct {
	stream, generation, start, length int64
	flags, dir, format                int64
	init, bytes, clock, gaps          int64
	origin, before, path              *string
	fragments                         *int64 // key
	data                              []byte // of the fragments, where asked for
}

// columns are those of segments that scan reads, of a table named s.
const columns = `s.generation, s.start, s.length, s.flags, s.dir, s.format, s.init, s.bytes, s.clock, s.gaps, s.origin, s.before, s.path`

// scan reads columns.
func (r *row) scan(scan scan) error {
	return scan(&r.generation, &r.start, &r.length, &r.flags, &r.dir, &r.format, &r.init, &r.bytes, &r.clock, &r.gaps,
		&r.origin, &r.before, &r.path)
}

// scanWithData reads columns and the fragments' data.
func (r *row) scanWithData(scan scan) error {
	return scan(&r.generation, &r.start, &r.length, &r.flags, &r.dir, &r.format, &r.init, &r.bytes, &r.clock, &r.gaps,
		&r.origin, &r.before, &r.path, &r.data)
}

// segment returns what the row stands for; of its gaps there is only room, until
// addGaps.
func (v *view) segment(n *names, stream recordings.Stream, r *row) (s recordings.Segment, err error) {
	s.Ref = recordings.Ref{Stream: stream, Generation: int(r.generation), Start: recordings.Time(r.start)}
	s.End = s.Start + recordings.Time(r.length)
	s.InitBytes, s.Bytes = r.init, r.bytes
	if r.gaps > 0 {
		s.Gaps = make([]recordings.Gap, 0, min(r.gaps, maxGaps))
	}
	s.Open = r.flags&flagOpen != 0
	s.ClockOffset = time.Duration(r.clock)
	s.Origin = recordings.Live
	if r.origin != nil {
		s.Origin = recordings.Origin(*r.origin)
	}
	if r.before != nil {
		s.Before = recordings.Cause(*r.before)
	}
	if s.Dir, err = v.dir(n, r.dir); err != nil {
		return s, fmt.Errorf("%s: %w", describe(s.Ref), err)
	}
	if s.Format, err = v.format(n, r.format); err != nil {
		return s, fmt.Errorf("%s: %w", describe(s.Ref), err)
	}
	if s.Path = usualPath(s.Ref); r.path != nil {
		s.Path = *r.path
	}
	if s.Fragments, err = decodeFragments(s.Start, r.data); err != nil {
		return s, fmt.Errorf("%s: %w", describe(s.Ref), err)
	}
	return s, nil
}

// row returns what stands for the segment, without the fragments and their key.
func (t *update) row(n *names, s *recordings.Segment) (r row, err error) {
	if err := validSegment(s); err != nil {
		return r, err
	}
	r = row{
		generation: int64(s.Generation), start: int64(s.Start), length: int64(s.End - s.Start),
		init: s.InitBytes, bytes: s.Bytes, clock: int64(s.ClockOffset), gaps: int64(len(s.Gaps)),
	}
	if s.Open {
		r.flags |= flagOpen
	}
	if s.Origin != recordings.Live {
		origin := string(s.Origin)
		r.origin = &origin
	}
	if s.Before != "" {
		before := string(s.Before)
		r.before = &before
	}
	if s.Path != usualPath(s.Ref) {
		r.path = &s.Path
	}
	if r.stream, err = t.streamKey(n, s.Stream); err != nil {
		return r, err
	}
	if r.dir, err = t.dirKey(n, s.Dir); err != nil {
		return r, err
	}
	r.format, err = t.formatKey(n, s.Format)
	return r, err
}

// usualPath is where a segment lies in its directory, so that it needs not be kept
// 9,000 times a month; docs/design/segments.md.
func usualPath(ref recordings.Ref) string {
	start := ref.Start.Std()
	generation := ""
	if ref.Generation != 0 {
		generation = fmt.Sprintf("-g%d", ref.Generation)
	}
	return "media/" + ref.Camera + "/" + ref.Rendition + "/" + start.Format("2006-01-02/20060102T150405.000000Z") + generation + ".mp4"
}

// describe names a segment for people.
func describe(ref recordings.Ref) string {
	s := "segment " + ref.String() + " " + ref.Start.String()
	if ref.Generation != 0 {
		s += fmt.Sprintf(" of generation %d", ref.Generation)
	}
	return s
}

func validSegment(s *recordings.Segment) error {
	switch {
	case s.Camera == "" || s.Rendition == "" || s.Dir == "":
		return fmt.Errorf("%w: it has no camera, no rendition or no directory", errSegment)
	case s.Generation < 0 || s.Start < 0 || s.End > maxTime || s.End < s.Start:
		return fmt.Errorf("%w: generation %d, from %d to %d µs", errSegment, s.Generation, int64(s.Start), int64(s.End))
	case s.InitBytes < 0 || s.Bytes < 0 || s.Bytes > maxSize:
		return fmt.Errorf("%w: it has %d bytes", errSegment, s.Bytes)
	case len(s.Gaps) > maxGaps:
		return fmt.Errorf("%w: it has %d gaps, more than %d", errSegment, len(s.Gaps), maxGaps)
	}
	return nil
}
