package verify

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/codecs/mediasign"
)

// picture is what of a unit counts for when and in which order it is shown.
type picture struct {
	pts, shown int64
	late       bool // it is shown before more pictures than may be decoded before it
}

// pace watches when pictures are shown. Their times are not signed, but their order
// is, and the beginning and end of each group.
type pace struct {
	timed  bool
	window []picture // not judged yet
	base   int       // units before the window
	recent []int64   // times of the pictures decoded last
	// disorder is the most pictures so far that were decoded before one shown before
	// them, where that may be.
	disorder int
}

// add notes the next unit; reorder is how many pictures that are shown after it may
// be decoded before it.
func (p *pace) add(pts, shown int64, reorder int) {
	const longest, most = 2 * mostReordered, 1 << 19
	after, late := 0, false
	for _, t := range p.recent {
		if t > pts {
			after++
		}
		late = late || t == pts
	}
	late = late || after > reorder
	if late {
		p.recent = p.recent[:0] // said once
	} else {
		p.disorder = max(p.disorder, after)
	}
	if p.recent = append(p.recent, pts); len(p.recent) > longest {
		p.recent = slices.Delete(p.recent, 0, 1)
	}
	if len(p.window) == most {
		p.drop(p.base + most/2)
	}
	p.window = append(p.window, picture{pts, shown, late})
}

// drop forgets the units before one.
func (p *pace) drop(unit int) {
	if n := min(unit-p.base, len(p.window)); n > 0 {
		p.window = slices.Delete(p.window, 0, n)
		p.base += n
	}
}

// from returns the units from one on, up to another.
func (p *pace) units(first, last int) []picture {
	first, last = max(first-p.base, 0), min(last-p.base+1, len(p.window))
	if first >= last {
		return nil
	}
	return p.window[first:last]
}

// shownGroup is a group as it is shown.
type shownGroup struct {
	pictures   int
	begin, end int64 // times of its first picture and its last
	// longest is for how long a picture of it may be shown.
	longest int64
}

// group measures an authentic group, and returns what is wrong with it; empty if
// nothing is.
func (p *pace) group(g mediasign.GOP) (s shownGroup, wrong string) {
	list := slices.Clone(p.units(g.First.Unit, g.Last.Unit))
	if len(list) == 0 || !p.timed {
		s.pictures = len(list)
		return s, ""
	}
	if slices.ContainsFunc(list, func(u picture) bool { return u.late }) {
		wrong = "the file shows its pictures in another order than that in which they were signed."
	}
	slices.SortFunc(list, func(a, b picture) int { return cmp.Compare(a.pts, b.pts) })
	n := int64(len(list))
	s = shownGroup{pictures: len(list), begin: list[0].pts, end: list[n-1].pts}
	signed := ticks(g.End.Sub(g.Start))
	if g.Start.IsZero() || g.End.IsZero() || signed <= 0 {
		s.longest = 10 * clock
		return s, wrong
	}
	// Where the signer says which step was the longest, the others are even.
	mean, step := signed/n, ticks(g.Origin.Vendor.LongestStep())
	if 0 < step && step <= signed && n > 1 {
		mean = (signed - step) / (n - 1)
	}
	// Where pictures are out of order, groups that follow one another overlap.
	slack := clock/25 + int64(p.disorder)*mean
	s.longest = slewed(max(3*mean, step)) + slack
	hidden := int64(0)
	for i := range list[1:] {
		d := list[i+1].pts - list[i].pts
		if d < mean/10 {
			hidden++
		}
		if d > s.longest && wrong == "" {
			wrong = fmt.Sprintf("the file shows one of its pictures for %s; %d were signed in %s.", seconds(duration(d)), n, seconds(duration(signed)))
		}
	}
	if hidden > n/2 && wrong == "" {
		wrong = fmt.Sprintf("the file shows %d of its %d pictures for no time.", hidden, n)
	}
	if span := s.end - s.begin; wrong == "" && (span > slewed(signed)+slack || span < signed-s.longest-signed/8-slack) {
		wrong = fmt.Sprintf("the file shows it for %s, %s were signed.", seconds(duration(span)), seconds(duration(signed)))
	}
	return s, wrong
}

// slewed is the most that a time may be in the file: clocks that are slewed run up
// to 5 % faster or slower.
func slewed(t int64) int64 { return t + t/16 }

func ticks(d time.Duration) int64 { return int64(d.Seconds() * clock) }

func duration(ticks int64) time.Duration {
	return time.Duration(float64(ticks) / clock * float64(time.Second))
}
