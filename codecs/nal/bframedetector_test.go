package nal

import "testing"

func TestBFrameDetector_PTSOrder(t *testing.T) {
	var d BFrameDetector
	// I P B B P B B: shown at 0 3 1 2 6 4 5.
	for i, n := range []int64{0, 3, 1, 2, 6, 4, 5} {
		if got, want := d.Observe(AccessUnit{}, n*3600), i >= 5; got != want {
			t.Errorf("after unit %d: %v", i, got)
		}
	}
}

func TestBFrameDetector_SliceTypes(t *testing.T) {
	var d BFrameDetector
	d.Observe(AccessUnit{Reordered: true}, 0)
	if d.Found() {
		t.Error("one piece of evidence is enough")
	}
	if d.Observe(AccessUnit{Reordered: true}, 3600); !d.Found() {
		t.Error("not found")
	}
}

func TestBFrameDetector_OtherClockIsNoEvidence(t *testing.T) {
	var d BFrameDetector
	for _, pts := range []int64{1_000_000, 1_003_600, 0, 3600, -1_000_000} {
		if d.Observe(AccessUnit{}, pts) {
			t.Fatal("found B-frames")
		}
	}
}

func TestBFrameDetector_ForgetsAfterAWhile(t *testing.T) {
	var d BFrameDetector
	d.Observe(AccessUnit{Reordered: true}, 0)
	d.Observe(AccessUnit{Reordered: true}, 1)
	for i := range int64(quietUnits) {
		if !d.Found() {
			t.Fatalf("forgotten after %d units", i)
		}
		d.Observe(AccessUnit{}, 2+i)
	}
	if d.Found() {
		t.Error("not forgotten")
	}
}
