package export

import (
	"slices"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// row is a segment with a fragment for each of the seconds, a key frame in all that
// are even.
func row(generation int, seconds ...int) recordings.Segment {
	var s recordings.Segment
	s.Generation = generation
	for _, n := range seconds {
		at := recordings.Time(0).Add(time.Duration(n) * time.Second)
		s.Fragments = append(s.Fragments, recordings.Fragment{Start: at, Duration: time.Second, Key: n%2 == 0})
		s.End = at.Add(time.Second)
	}
	s.Start = s.Fragments[0].Start
	return s
}

func upTo(from, to int) (all []int) {
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

func TestChoose(t *testing.T) {
	second := func(n int) recordings.Time { return recordings.Time(n) * 1_000_000 }
	for _, c := range []struct {
		name     string
		segments []recordings.Segment
		from, to int
		want     []int // generation*1000 + second
	}{
		{"one after the other", []recordings.Segment{row(0, upTo(4, 8)...), row(0, upTo(0, 4)...)}, 0, 20, upTo(0, 8)},
		{"from the key frame before to the end asked for", []recordings.Segment{row(0, upTo(0, 10)...)}, 5, 8, upTo(4, 8)},
		{
			"before and behind a newer one", []recordings.Segment{row(0, slices.Concat(upTo(0, 4), upTo(8, 12))...), row(1, upTo(4, 7)...)},
			0, 20, slices.Concat(upTo(0, 4), upTo(1004, 1007), upTo(8, 12)),
		},
		{
			"the newer one is in front", []recordings.Segment{row(1, upTo(0, 3)...), row(0, upTo(4, 8)...)},
			0, 20, slices.Concat(upTo(1000, 1003), upTo(4, 8)),
		},
		{
			"two newer ones, and nobody took out what they cover",
			[]recordings.Segment{row(0, upTo(0, 12)...), row(1, upTo(2, 5)...), row(2, upTo(8, 10)...)},
			0, 11, slices.Concat(upTo(0, 2), upTo(1002, 1005), upTo(6, 8), upTo(2008, 2010), upTo(10, 11)),
		},
		{
			"only what is behind", []recordings.Segment{row(0, slices.Concat(upTo(0, 4), upTo(8, 12))...), row(1, upTo(4, 7)...)},
			9, 11, upTo(8, 11),
		},
		{"two begin together", []recordings.Segment{row(1, upTo(0, 3)...), row(0, upTo(0, 6)...)}, 0, 7, slices.Concat(upTo(1000, 1003), upTo(4, 6))},
		{"only a hole", []recordings.Segment{row(0, slices.Concat(upTo(0, 4), upTo(8, 12))...)}, 5, 7, nil},
	} {
		var got []int
		for _, s := range choose(c.segments, recordings.Range{From: second(c.from), To: second(c.to)}) {
			for _, f := range s.Fragments {
				got = append(got, s.Generation*1000+int(f.Start/1_000_000))
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
