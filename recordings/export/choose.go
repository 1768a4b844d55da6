package export

import (
	"slices"

	"github.com/sightline-cam/sightline/recordings"
)

// choose returns the segments with those of their fragments that a range takes: of
// the first one from the key frame at or before r.From, of each up to where the next
// one begins.
func choose(segments []recordings.Segment, r recordings.Range) (out []recordings.Segment) {
	segments = slices.Clone(segments)
	slices.SortStableFunc(segments, func(a, b recordings.Segment) int { return int(min(max(a.Start-b.Start, -1), 1)) })
	for i, s := range segments {
		to := r.To
		if i+1 < len(segments) {
			to = min(to, segments[i+1].Start)
		}
		from := max(r.From, s.Start)
		if first, last := between(s.Fragments, from, to); first < last {
			s.Fragments = s.Fragments[first:last]
			out = append(out, s)
		}
	}
	return out
}

// between returns the indexes of the fragments from the key frame at or before from
// up to the last that begins before to. Without such a key frame it is the first one
// after from.
func between(fragments []recordings.Fragment, from, to recordings.Time) (first, last int) {
	first = -1
	for i := range fragments {
		f := &fragments[i]
		if f.Start >= to {
			break
		}
		last = i + 1
		if f.Key && (f.Start <= from || first < 0) {
			first = i
		}
	}
	if first < 0 || fragments[last-1].End() <= from {
		return 0, 0 // it ended before
	}
	return first, last
}
