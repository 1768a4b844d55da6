package index

import (
	"slices"
	"sort"

	"github.com/sightline-cam/sightline/recordings"
)

// ranges are in order and apart from each other.
type ranges []recordings.Range

// add puts a range in, and joins what it touches. The cheapest place is the end.
func (s ranges) add(r recordings.Range) ranges {
	if r.Empty() {
		return s
	}
	first := sort.Search(len(s), func(i int) bool { return s[i].To >= r.From })
	last := first
	for ; last < len(s) && s[last].From <= r.To; last++ {
		r.From, r.To = min(r.From, s[last].From), max(r.To, s[last].To)
	}
	return slices.Replace(s, first, last, r)
}

// covers reports whether all of r is inside.
func (s ranges) covers(r recordings.Range) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].To > r.From })
	return r.Empty() || i < len(s) && s[i].From <= r.From && r.To <= s[i].To
}

// contains reports whether the instant is inside.
func (s ranges) contains(t recordings.Time) bool {
	return s.covers(recordings.Range{From: t, To: t + 1})
}

// clip returns what of r is in bounds; it may be empty.
func clip(r, bounds recordings.Range) recordings.Range {
	return recordings.Range{From: max(r.From, bounds.From), To: min(r.To, bounds.To)}
}
