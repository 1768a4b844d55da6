package index

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/recordings"
)

func TestSegments_AreThoseThatOverlap(t *testing.T) {
	x := open(t)
	growing := recordings.Segment{Ref: recordings.Ref{Stream: front(), Start: at(50)}, End: at(50), Dir: "disk-1", Open: true}
	ok(t, x.Put(t.Context(), segment(front(), 0, 0, 10), segment(front(), 0, 10, 20), segment(front(), 0, 30, 40), growing))
	ok(t, x.Put(t.Context(), segment(front(), 0, 40, 50)))
	ok(t, x.Tombstone(t.Context(), segment(front(), 0, 40, 50).Ref))
	for _, c := range []struct {
		from, to float64
		limit    int
		want     [][2]float64
	}{
		{-10, 0, 0, nil}, {0, 1, 0, [][2]float64{{0, 10}}}, {9.999999, 10, 0, [][2]float64{{0, 10}}},
		{10, 10.000001, 0, [][2]float64{{10, 20}}}, {5, 35, 0, [][2]float64{{0, 10}, {10, 20}, {30, 40}}},
		{5, 35, 2, [][2]float64{{0, 10}, {10, 20}}}, {20, 30, 0, nil}, {25, 31, 0, [][2]float64{{30, 40}}}, {40, 100, 0, nil}, {5, 5, 0, nil},
		{12, 13, 0, [][2]float64{{10, 20}}},
	} {
		got := must(x.Segments(t.Context(), front(), recordings.Range{From: at(c.from), To: at(c.to)}, SegmentsOptions{Limit: c.limit}))(t)
		if diff := cmp.Diff(c.want, allOf(got)); diff != "" {
			t.Errorf("from %g to %g:\n%s", c.from, c.to, diff)
		}
	}
	if got := must(x.Segments(t.Context(), recordings.Stream{Camera: "nobody"}, forever(), SegmentsOptions{}))(t); got != nil {
		t.Errorf("of nobody: %v", got)
	}
	if _, err := x.Segment(t.Context(), segment(front(), 1, 0, 10).Ref, false); !errors.Is(err, ErrNotFound) {
		t.Errorf("another generation: %v", err)
	}
}

// The clock was set back twice: at 60 to 25, and at 40 to 5.
func generations(t *testing.T) *Index {
	x := open(t)
	for a := 0.0; a < 60; a += 10 {
		ok(t, x.Put(t.Context(), segment(front(), 0, a, a+10)))
	}
	ok(t, x.Put(t.Context(), segment(front(), 1, 25, 35), segment(front(), 1, 35, 40), segment(front(), 2, 5, 15), segment(front(), 2, 70, 80)))
	return x
}

func TestSegments_NewestGenerationWins(t *testing.T) {
	x := generations(t)
	type seen struct {
		Generation int
		Range      [2]float64
		Fragments  []float64 // where they begin
	}
	list := func(from, to float64, o SegmentsOptions) (all []seen) {
		for _, s := range must(x.Segments(t.Context(), front(), recordings.Range{From: at(from), To: at(to)}, o))(t) {
			v := seen{Generation: s.Generation, Range: secondsOf(s.Range())}
			for _, f := range s.Fragments {
				v.Fragments = append(v.Fragments, float64(f.Start-noon)/1e6)
			}
			all = append(all, v)
		}
		return all
	}
	want := []seen{{0, [2]float64{0, 10}, nil}, {2, [2]float64{5, 15}, nil}, {0, [2]float64{10, 20}, nil}, {0, [2]float64{20, 30}, nil},
		{1, [2]float64{25, 35}, nil}, {1, [2]float64{35, 40}, nil}, {0, [2]float64{40, 50}, nil}, {0, [2]float64{50, 60}, nil}, {2, [2]float64{70, 80}, nil}}
	if diff := cmp.Diff(want, list(-10, 100, SegmentsOptions{})); diff != "" {
		t.Errorf("all:\n%s", diff)
	}
	for limit := range len(want) {
		if diff := cmp.Diff(want[:limit+1], list(-10, 100, SegmentsOptions{Limit: limit + 1})); diff != "" {
			t.Errorf("the first %d:\n%s", limit+1, diff)
		}
	}
	want = []seen{{2, [2]float64{5, 15}, []float64{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}}, {0, [2]float64{10, 20}, []float64{15, 16, 17, 18, 19}}}
	if diff := cmp.Diff(want, list(8, 18, SegmentsOptions{Fragments: true})); diff != "" {
		t.Errorf("with fragments:\n%s", diff)
	}
	if diff := cmp.Diff([]seen{{2, [2]float64{5, 15}, nil}}, list(6, 14, SegmentsOptions{})); diff != "" {
		t.Errorf("inside of what is covered:\n%s", diff)
	}
}

func TestSegments_AfterWhatIsCoveredTheyBeginWithAKeyFrame(t *testing.T) {
	x := open(t)
	old := segment(front(), 0, 0, 10)
	for i := range old.Fragments {
		old.Fragments[i].Key = i%4 == 0
	}
	ok(t, x.Put(t.Context(), old, segment(front(), 1, 2, 5.5)))
	segs := must(x.Segments(t.Context(), front(), forever(), SegmentsOptions{Fragments: true}))(t)
	var starts []float64
	for _, f := range segs[0].Fragments {
		starts = append(starts, float64(f.Start-noon)/1e6)
	}
	if diff := cmp.Diff([]float64{0, 1, 8, 9}, starts); diff != "" {
		t.Error(diff)
	}
}

func TestOldest_PagesThroughAllGenerations(t *testing.T) {
	x := generations(t)
	ok(t, x.Put(t.Context(), segment(front(), 1, 10, 20))) // begins when one of generation 0 does
	var got [][2]float64
	pages := 0
	for after := recordings.Time(0); ; pages++ {
		segs := must(x.Oldest(t.Context(), front(), after, 3))(t)
		if len(segs) == 0 {
			break
		}
		got = append(got, allOf(segs)...)
		after = segs[len(segs)-1].Start
	}
	want := [][2]float64{{0, 10}, {5, 15}, {10, 20}, {10, 20}, {20, 30}, {25, 35}, {30, 40}, {35, 40}, {40, 50}, {50, 60}, {70, 80}}
	if diff := cmp.Diff(want, got); diff != "" || pages != 4 {
		t.Errorf("%d pages:\n%s", pages, diff)
	}
}

func TestSegments_HaveTheirGaps(t *testing.T) {
	x := open(t)
	var want []recordings.Segment
	for generation := range 2 {
		for i := range 5 {
			s := segment(front(), generation, float64(generation*100+i*10), float64(generation*100+i*10+5))
			s.Fragments = nil
			for j := range i % 3 {
				r := recordings.Range{From: s.Start - second(float64(4-j)), To: s.Start - second(float64(3-j))}
				s.Gaps = append(s.Gaps, recordings.Gap{Stream: front(), Range: r, Cause: recordings.CameraOffline})
			}
			want = append(want, s)
		}
	}
	ok(t, x.Put(t.Context(), want...))
	if diff := cmp.Diff(want, must(x.Segments(t.Context(), front(), forever(), SegmentsOptions{}))(t)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, must(x.Oldest(t.Context(), front(), 0, 100))(t)); diff != "" {
		t.Error(diff)
	}
}
