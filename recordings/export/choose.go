package export

import (
	"cmp"
	"slices"

	"github.com/sightline-cam/sightline/recordings"
)

// choose returns the segments with those of their fragments that a range takes: from
// the key frame at or before r.From on, each up to where the next one begins. A
// segment occurs several times if a newer one covers a time in its midst.
func choose(segments []recordings.Segment, r recordings.Range) (out []recordings.Segment) {
	for left := runs(segments); len(left) > 0; {
		s := left[0]
		left = left[1:]
		to := r.To
		if len(left) > 0 {
			begins, ends := left[0].Fragments[0].Start, endOf(left[0])
			if rest := onFrom(s.Fragments, ends); len(rest) > 0 {
				later := s
				later.Fragments = rest
				at, _ := slices.BinarySearchFunc(left, later, byStart)
				left = slices.Insert(left, at, later)
			}
			to = min(to, begins)
		}
		from := max(r.From, s.Fragments[0].Start)
		if first, last := between(s.Fragments, from, to); first < last {
			s.Fragments = s.Fragments[first:last]
			out = append(out, s)
		}
	}
	return out
}

// runs returns the segments in pieces without holes in them, by where their fragments
// begin.
func runs(segments []recordings.Segment) (out []recordings.Segment) {
	for _, s := range segments {
		all := s.Fragments
		for i := range all {
			if i+1 < len(all) && all[i+1].Start <= all[i].End() {
				continue
			}
			n := len(all) - len(s.Fragments) // those of earlier pieces
			s.Fragments = all[n : i+1 : i+1]
			out = append(out, s)
			s.Fragments = all[i+1:]
		}
	}
	slices.SortStableFunc(out, byStart)
	return out
}

func byStart(a, b recordings.Segment) int {
	return cmp.Or(cmp.Compare(a.Fragments[0].Start, b.Fragments[0].Start), cmp.Compare(a.Generation, b.Generation))
}

func endOf(s recordings.Segment) recordings.Time { return s.Fragments[len(s.Fragments)-1].End() }

// onFrom returns the fragments from the first key frame on that begins then or later.
func onFrom(fragments []recordings.Fragment, at recordings.Time) []recordings.Fragment {
	i := slices.IndexFunc(fragments, func(f recordings.Fragment) bool { return f.Key && f.Start >= at })
	if i < 0 {
		return nil
	}
	return fragments[i:]
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
