package index

import (
	"context"

	"github.com/sightline-cam/sightline/recordings"
)

// maxKeyFrames bounds an answer.
const maxKeyFrames = 10_000

// KeyFrames returns the times of key frames in r, in order: all, or if there are
// more than maxFrames (10,000 if 0, and at most) the first in each of as many
// parts of r of the same length.
func (x *Index) KeyFrames(ctx context.Context, stream recordings.Stream, r recordings.Range, maxFrames int) (times []recordings.Time, err error) {
	if maxFrames <= 0 || maxFrames > maxKeyFrames {
		maxFrames = maxKeyFrames
	}
	segs, err := x.Segments(ctx, stream, r, SegmentsOptions{})
	if err != nil || len(segs) == 0 {
		return nil, err
	}
	r = clip(r, recordings.Range{From: segs[0].Start, To: furthest(segs)})
	some := newThinner(r, maxFrames)
	if len(segs) > maxFrames {
		// Each segment begins with a key frame: no need to look inside.
		for _, s := range segs {
			some.add(s.Start)
		}
		return some.result(), nil
	}
	const batch = 64 // segments, to bound memory
	for len(segs) > 0 {
		n := min(batch, len(segs))
		part := clip(r, recordings.Range{From: segs[0].Start, To: r.To})
		if n < len(segs) {
			part.To = min(part.To, segs[n].Start)
		}
		withFragments, err := x.Segments(ctx, stream, part, SegmentsOptions{Fragments: true})
		if err != nil {
			return nil, err
		}
		for _, s := range withFragments {
			for _, f := range s.Fragments {
				if f.Key && f.Start >= part.From && f.Start < part.To {
					some.add(f.Start)
				}
			}
		}
		segs = segs[n:]
	}
	return some.result(), nil
}

func furthest(segs []recordings.Segment) (end recordings.Time) {
	for _, s := range segs {
		end = max(end, s.End)
	}
	return end
}

// thinner keeps all times while they are few, and then the first in each part of a
// range.
type thinner struct {
	r     recordings.Range
	parts int
	all   []recordings.Time // up to parts+1
	some  []recordings.Time
	next  recordings.Time // the first that the next part may begin with
}

func newThinner(r recordings.Range, parts int) *thinner {
	return &thinner{r: r, parts: parts, next: r.From}
}

func (t *thinner) add(at recordings.Time) {
	if at < t.r.From || at >= t.r.To {
		return
	}
	if len(t.all) <= t.parts {
		t.all = append(t.all, at)
	}
	if at >= t.next {
		t.some = append(t.some, at)
		width := float64(t.r.To-t.r.From) / float64(t.parts)
		part := int(float64(at-t.r.From) / width)
		t.next = t.r.From + recordings.Time(width*float64(part+1))
	}
}

func (t *thinner) result() []recordings.Time {
	if len(t.all) <= t.parts {
		return t.all
	}
	return t.some[:min(len(t.some), t.parts)]
}

// NearestKey returns the fragment whose key frame is nearest to the time, and its
// segment with all its fragments; ErrNotFound if the stream has none. A key frame
// that a newer generation covers does not count.
func (x *Index) NearestKey(ctx context.Context, stream recordings.Stream, at recordings.Time) (s recordings.Segment, f recordings.Fragment, err error) {
	err = x.view(ctx, "seek in "+stream.String(), func(v *view) error {
		key, generations, err := v.generations(stream)
		if err != nil {
			return err
		}
		found := false
		for i, generation := range generations {
			for _, clause := range []string{
				`WHERE s.stream = ? AND s.generation = ? AND s.start <= ? AND s.flags < 2 AND s.fragments IS NOT NULL ORDER BY s.start DESC LIMIT 1`,
				`WHERE s.stream = ? AND s.generation = ? AND s.start > ? AND s.flags < 2 AND s.fragments IS NOT NULL ORDER BY s.start LIMIT 1`,
			} {
				rows, err := v.query(clause, true, key, generation, int64(at))
				if err != nil {
					return err
				}
				for j := range rows {
					candidate, err := v.segment(x.names, stream, &rows[j])
					if err != nil {
						return err
					}
					covered, err := v.coverBy(key, generations[:i], candidate.Range())
					if err != nil {
						return err
					}
					nearest := nearestKey(candidate.Fragments, at, covered)
					if nearest >= 0 && (!found || distance(candidate.Fragments[nearest].Start, at) < distance(f.Start, at)) {
						found, s, f = true, candidate, candidate.Fragments[nearest]
					}
				}
			}
		}
		if !found {
			return ErrNotFound
		}
		one := []recordings.Segment{s}
		err = v.addGaps(key, one)
		s = one[0]
		return err
	})
	return s, f, err
}

// coverBy returns what the generations have in r.
func (v *view) coverBy(stream int64, generations []int64, r recordings.Range) (covered ranges, err error) {
	for _, generation := range generations {
		if covered, err = v.cover(stream, generation, r, covered); err != nil {
			return nil, err
		}
	}
	return covered, nil
}

// nearestKey returns which fragment begins with the key frame nearest to at, or -1.
func nearestKey(fragments []recordings.Fragment, at recordings.Time, covered ranges) int {
	nearest := -1
	for i := range fragments {
		f := &fragments[i]
		if f.Key && !covered.contains(f.Start) &&
			(nearest < 0 || distance(f.Start, at) < distance(fragments[nearest].Start, at)) {
			nearest = i
		}
	}
	return nearest
}

func distance(a, b recordings.Time) recordings.Time {
	if a < b {
		return b - a
	}
	return a - b
}
