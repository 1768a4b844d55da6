package index

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/recordings"
)

// sparse has a key frame each 4 seconds.
func sparse(generation int, a, b float64) recordings.Segment {
	s := segment(front(), generation, a, b)
	for i := range s.Fragments {
		s.Fragments[i].Key = i%4 == 0
	}
	return s
}

func TestNearestKey_IsTheNearest(t *testing.T) {
	x := open(t)
	if _, _, err := x.NearestKey(t.Context(), front(), noon); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing there: %v", err)
	}
	growing := recordings.Segment{Ref: recordings.Ref{Stream: front(), Start: at(220)}, End: at(220), Dir: "disk-1", Open: true}
	ok(t, x.Put(t.Context(), sparse(0, 0, 10), sparse(0, 10, 20), sparse(0, 100, 110), sparse(0, 200, 210), growing))
	ok(t, x.Tombstone(t.Context(), sparse(0, 200, 210).Ref))
	for _, c := range []struct{ at, want float64 }{
		{-50, 0}, {0, 0}, {1.9, 0}, {2, 0}, {2.1, 4}, {9, 8}, {9.1, 10}, {50, 18}, {58.9, 18}, {59.1, 100}, {107, 108}, {150, 108}, {500, 108},
	} {
		s, f, err := x.NearestKey(t.Context(), front(), at(c.at))
		ok(t, err)
		if f.Start != at(c.want) || !f.Key || !slices.Contains(s.Fragments, f) || f.Start < s.Start || f.Start >= s.End {
			t.Errorf("nearest to %g is %g in %v, want %g", c.at, float64(f.Start-noon)/1e6, secondsOf(s.Range()), c.want)
		}
	}
}

func TestNearestKey_IsOfTheNewestGeneration(t *testing.T) {
	x := open(t)
	ok(t, x.Put(t.Context(), sparse(0, 0, 10), sparse(0, 10, 20), sparse(1, 3, 13)))
	for _, c := range []struct {
		at, want   float64
		generation int
	}{{0, 0, 0}, {4, 3, 1}, {8.1, 7, 1}, {13, 14, 0}, {12, 11, 1}, {18, 18, 0}} {
		s, f, err := x.NearestKey(t.Context(), front(), at(c.at))
		ok(t, err)
		if f.Start != at(c.want) || s.Generation != c.generation {
			t.Errorf("nearest to %g is %g of generation %d, want %g", c.at, float64(f.Start-noon)/1e6, s.Generation, c.want)
		}
	}
}

func TestKeyFrames_AllOrSpreadEvenly(t *testing.T) {
	x := open(t)
	var segs []recordings.Segment
	for i := range 70 { // more than are read at a time
		segs = append(segs, sparse(0, float64(i*8), float64(i*8+8)))
	}
	ok(t, x.Put(t.Context(), segs...))
	list := func(from, to float64, most int) (times []float64) {
		for _, k := range must(x.KeyFrames(t.Context(), front(), recordings.Range{From: at(from), To: at(to)}, most))(t) {
			times = append(times, float64(k-noon)/1e6)
		}
		return times
	}
	if diff := cmp.Diff([]float64{4, 8, 12, 16}, list(3, 20, 0)); diff != "" {
		t.Errorf("all: %s", diff)
	}
	if diff := cmp.Diff([]float64{4, 8, 12, 16}, list(3, 20, 4)); diff != "" {
		t.Errorf("at most as many: %s", diff)
	}
	if all := list(0, 1000, 0); len(all) != 140 || all[139] != 556 || !slices.IsSorted(all) {
		t.Errorf("%d in all: %v", len(all), all)
	}
	if diff := cmp.Diff([]float64{0, 112, 224, 336, 448}, list(0, 1000, 5)); diff != "" {
		t.Errorf("5 of 560 s, from segments: %s", diff)
	}
	some := list(0, 1000, 100)
	if len(some) < 70 || len(some) > 100 || !slices.IsSorted(some) {
		t.Errorf("%d of at most 100: %v", len(some), some)
	}
	if none := list(2000, 3000, 5); none != nil {
		t.Errorf("after the end: %v", none)
	}
}

func TestKeyFrames_AllOfThemIfTheyAreFew(t *testing.T) {
	x := open(t)
	ok(t, x.Put(t.Context(), sparse(0, 0, 10), sparse(0, 500, 501)))
	for most, want := range map[int]int{4: 4, 3: 2} { // all, or one in each third
		if got := must(x.KeyFrames(t.Context(), front(), forever(), most))(t); len(got) != want {
			t.Errorf("at most %d: %v", most, got)
		}
	}
}
