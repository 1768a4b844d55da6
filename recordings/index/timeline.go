package index

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// span is recorded without a hole that counts. What follows a hole has a reason.
type span struct {
	recordings.Range
	before recordings.Cause
}

// Timeline returns what there is in r, all generations together. Holes shorter
// than the resolution (at least a microsecond) are closed. Holes between two
// segments are gaps, with the causes that the later one's Gaps name, else its
// Before, else Unknown. There is none after the last segment, and before the first
// only what its Gaps name.
func (x *Index) Timeline(ctx context.Context, stream recordings.Stream, r recordings.Range, resolution time.Duration) (t recordings.Timeline, err error) {
	if r.Empty() {
		return t, nil
	}
	shortest := max(recordings.Time(resolution.Microseconds()), 1)
	err = x.view(ctx, "read the timeline of "+stream.String(), func(v *view) error {
		key, generations, err := v.generations(stream)
		if err != nil {
			return err
		}
		var spans []span
		for _, generation := range generations {
			if spans, err = v.spans(key, generation, r, shortest, spans); err != nil {
				return err
			}
		}
		var last recordings.Time
		for _, s := range spans {
			last = max(last, s.To)
		}
		gaps, err := v.gaps(key, stream, r, last)
		t = drawTimeline(stream, spans, gaps, r, shortest)
		return err
	})
	return t, err
}

// spans adds those of one generation from the last that begins at r.From or before
// to the first that begins at r.To or after.
func (v *view) spans(stream, generation int64, r recordings.Range, shortest recordings.Time, spans []span) ([]span, error) {
	first := len(spans)
	err := v.each(`SELECT s.start, s.length, s.before FROM segments s
		WHERE s.stream = ?1 AND s.generation = ?2 AND s.flags < 2 AND s.length > 0
		AND s.start >= coalesce((SELECT p.start FROM segments p WHERE p.stream = ?1 AND p.generation = ?2 AND p.start <= ?3
			AND p.flags < 2 AND p.length > 0 ORDER BY p.start DESC LIMIT 1), ?3)
		AND s.start <= coalesce((SELECT n.start FROM segments n WHERE n.stream = ?1 AND n.generation = ?2 AND n.start >= ?4
			AND n.flags < 2 AND n.length > 0 ORDER BY n.start LIMIT 1), ?4)
		ORDER BY s.start`, []any{stream, generation, int64(r.From), int64(r.To)}, func(scan scan) error {
		var start, length int64
		var before *string
		if err := scan(&start, &length, &before); err != nil {
			return err
		}
		from, to := recordings.Time(start), recordings.Time(start+length)
		if n := len(spans); n > first && from-spans[n-1].To < shortest {
			spans[n-1].To = max(spans[n-1].To, to)
			return nil
		}
		s := span{Range: recordings.Range{From: from, To: to}}
		if before != nil {
			s.before = recordings.Cause(*before)
		}
		spans = append(spans, s)
		return nil
	})
	return spans, err
}

// gaps returns those that were named and that r may show, of segments that begin
// by last.
func (v *view) gaps(key int64, stream recordings.Stream, r recordings.Range, last recordings.Time) (gaps []recordings.Gap, err error) {
	err = v.each(`SELECT begin, till, cause FROM gaps WHERE stream = ?1 AND start > ?2 AND start <= ?4 AND till > ?2 AND begin < ?3`,
		[]any{key, int64(r.From), int64(r.To), int64(last)}, func(scan scan) error {
			var from, to int64
			var cause string
			err := scan(&from, &to, &cause)
			gaps = append(gaps, recordings.Gap{Stream: stream, Cause: recordings.Cause(cause),
				Range: recordings.Range{From: recordings.Time(from), To: recordings.Time(to)}})
			return err
		})
	return gaps, err
}

// drawTimeline joins the generations, and explains the holes between them.
func drawTimeline(stream recordings.Stream, spans []span, named []recordings.Gap, r recordings.Range, shortest recordings.Time) (t recordings.Timeline) {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.From, b.From) })
	slices.SortFunc(named, func(a, b recordings.Gap) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	end := recordings.Time(math.MinInt64) // of what is recorded so far
	for _, s := range spans {
		switch {
		case len(t.Ranges) == 0 || s.From >= end && s.From-end >= shortest:
			hole := explain(stream, recordings.Range{From: end, To: s.From}, s.before, named)
			for _, g := range hole {
				if g.Range = clip(g.Range, r); g.To-g.From >= shortest {
					t.Gaps = append(t.Gaps, g)
				}
			}
			t.Ranges = append(t.Ranges, s.Range)
		default:
			last := &t.Ranges[len(t.Ranges)-1]
			last.To = max(last.To, s.To)
		}
		end = max(end, s.To)
	}
	clipped := t.Ranges[:0]
	for _, s := range t.Ranges {
		if s = clip(s, r); !s.Empty() {
			clipped = append(clipped, s)
		}
	}
	t.Ranges = clipped
	return t
}

// explain fills a hole with the gaps that were named, and what is left of it with
// the reason that what follows gives. Nothing is missing before the first segment.
func explain(stream recordings.Stream, hole recordings.Range, before recordings.Cause, named []recordings.Gap) (gaps []recordings.Gap) {
	first := hole.From == math.MinInt64
	if before == "" {
		before = recordings.Unknown
	}
	rest := func(to recordings.Time) {
		if !first && hole.From < to {
			gaps = append(gaps, recordings.Gap{Stream: stream, Range: recordings.Range{From: hole.From, To: to}, Cause: before})
		}
	}
	i, _ := slices.BinarySearchFunc(named, hole.From, func(g recordings.Gap, t recordings.Time) int { return cmp.Compare(g.To, t+1) })
	for ; i < len(named) && named[i].From < hole.To; i++ {
		g := named[i]
		if g.Range = clip(g.Range, hole); g.Empty() {
			continue
		}
		rest(g.From)
		gaps = append(gaps, g)
		hole.From = g.To
	}
	rest(hole.To)
	return gaps
}
