package rtsp

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// slice is one packet with one slice.
type slice struct {
	ts     uint32
	marker bool
}

// group feeds slices to a grouper and returns, for every one, the numbers of
// slices of the pictures that it completed.
func group(g *grouper, in []slice) (out [][]int) {
	for _, s := range in {
		var done []int
		if p, ok := g.begin(s.ts, time.Time{}); ok {
			done = append(done, len(p.units))
		}
		if p, ok := g.add([][]byte{{1}}, true, s.marker); ok {
			done = append(done, len(p.units))
		}
		out = append(out, done)
	}
	return out
}

func TestGrouper_PictureGoesOutWithItsMarkerOnceMarkersAreTrusted(t *testing.T) {
	var g grouper
	got := group(&g, []slice{
		{0, false}, {0, true},
		{1, false}, {1, true},
		{2, false}, {2, true},
		{3, true},
	})
	want := [][]int{nil, nil, {2}, nil, {2}, {2}, {1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("slices completed, per packet (-want +got):\n%s", diff)
	}
}

func TestGrouper_MarkerOnEverySliceWaitsForTheNextTimeStamp(t *testing.T) {
	var g grouper
	var in []slice
	for ts := range uint32(20) {
		for range 2 + ts%3 { // slices limited by size: another number in every picture
			in = append(in, slice{ts, true})
		}
	}
	var pictures []int
	for _, done := range group(&g, in) {
		pictures = append(pictures, done...)
	}
	for ts, n := range pictures {
		if n != 2+ts%3 {
			t.Errorf("picture %d has %d slices, want %d", ts, n, 2+ts%3)
		}
	}
	if len(pictures) != 19 {
		t.Errorf("%d pictures, want 19", len(pictures))
	}
}

func TestGrouper_ConstantNumberOfMarkersIsLearnt(t *testing.T) {
	var g grouper
	var in []slice
	for ts := range uint32(moreMarkers + 10) {
		for range 4 {
			in = append(in, slice{ts, true})
		}
	}
	out := group(&g, in)
	if diff := cmp.Diff([][]int{nil, nil, nil, {4}}, out[len(out)-4:]); diff != "" {
		t.Errorf("slices completed in the last picture, per packet (-want +got):\n%s", diff)
	}
}

func TestGrouper_WithoutMarkersTimeStampsDecide(t *testing.T) {
	var g grouper
	got := group(&g, []slice{{0, false}, {0, false}, {1, false}, {2, false}})
	if diff := cmp.Diff([][]int{nil, nil, {2}, {1}}, got); diff != "" {
		t.Errorf("slices completed, per packet (-want +got):\n%s", diff)
	}
}

func TestGrouper_LateSliceEndsTheTrustInMarkers(t *testing.T) {
	var g grouper
	group(&g, []slice{{0, true}, {1, true}, {2, true}})
	got := group(&g, []slice{{3, true}, {3, true}, {4, true}, {4, true}, {5, true}})
	if diff := cmp.Diff([][]int{{1}, nil, nil, nil, {2}}, got); diff != "" {
		t.Errorf("slices completed, per packet (-want +got):\n%s", diff)
	}
}

func TestGrouper_ParameterSetsWithMarkerDoNotEndThePicture(t *testing.T) {
	var g grouper
	group(&g, []slice{{0, true}, {1, true}, {2, true}})
	g.begin(3, time.Time{})
	if _, ok := g.add([][]byte{{7}}, false, true); ok {
		t.Error("a parameter set ended the picture")
	}
	if p, ok := g.add([][]byte{{1}}, true, true); !ok || len(p.units) != 2 {
		t.Errorf("picture %v %v, want parameter set and slice", p, ok)
	}
}

func TestGrouper_BoundsAPicture(t *testing.T) {
	var g grouper
	g.begin(0, time.Time{})
	for range maxPictureUnits + 1 {
		g.add([][]byte{{1}}, true, false)
	}
	p, ok := g.begin(1, time.Time{})
	if !ok || !p.damaged || len(p.units) > maxPictureUnits {
		t.Errorf("%d units, damaged %v", len(p.units), p.damaged)
	}
}
