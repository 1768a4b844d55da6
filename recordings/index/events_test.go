package index

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/recordings"
)

func TestEvents_ThoseThatOverlapNewestFirstToStay(t *testing.T) {
	x := open(t)
	event := func(id string, a, b float64) recordings.Event {
		return recordings.Event{ID: id, Camera: "front", Type: "door", Range: recordings.Range{From: at(a), To: at(b)}, Text: "left; 'open'"}
	}
	all := []recordings.Event{event("a", 0, 0), event("b", 0, 100), event("c", 5, 6), event("d", 10, 10), event("e", 10, 20)}
	for _, e := range all {
		ok(t, x.PutEvent(t.Context(), e))
	}
	other := event("x", 5, 6)
	other.Camera = "back"
	ok(t, x.PutEvent(t.Context(), other))
	list := func(a, b float64, limit int) (ids string) {
		for _, e := range must(x.Events(t.Context(), "front", recordings.Range{From: at(a), To: at(b)}, limit))(t) {
			ids += e.ID
		}
		return ids
	}
	if diff := cmp.Diff(all, must(x.Events(t.Context(), "front", forever(), 0))(t)); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		a, b  float64
		limit int
		want  string
	}{{0, 10, 0, "abc"}, {6, 10, 0, "b"}, {10, 11, 0, "bde"}, {0, 50, 2, "de"}, {20, 50, 0, "b"}, {-5, 0, 0, ""}, {0, 0.1, 0, "ab"}} {
		if got := list(c.a, c.b, c.limit); got != c.want {
			t.Errorf("from %g to %g, at most %d: %q, want %q", c.a, c.b, c.limit, got, c.want)
		}
	}
	ok(t, x.PutEvent(t.Context(), event("a", 7, 8))) // moved
	if got := list(-5, 50, 0); got != "bcade" {
		t.Errorf("after a was moved: %q", got)
	}
	if n := must(x.DeleteEventsBefore(t.Context(), "front", at(15)))(t); n != 3 || list(-5, 50, 0) != "be" {
		t.Errorf("%d deleted, left is %q", n, list(-5, 50, 0))
	}
	if rest := must(x.Events(t.Context(), "back", forever(), 0))(t); len(rest) != 1 {
		t.Errorf("another camera's: %v", rest)
	}
	if err := x.PutEvent(t.Context(), recordings.Event{ID: "z", Camera: "front", Range: recordings.Range{From: 2, To: 1}}); !errors.Is(err, errEvent) {
		t.Errorf("an impossible one: %v", err)
	}
}

func TestLocks_StayUntilDeleted(t *testing.T) {
	x := open(t)
	one := recordings.Lock{ID: "1", Camera: "front", Range: recordings.Range{From: at(0), To: at(10)}, Name: "parcel"}
	two := recordings.Lock{ID: "2", Camera: "back", Range: recordings.Range{From: at(5), To: at(15)}}
	ok(t, x.PutLock(t.Context(), one))
	ok(t, x.PutLock(t.Context(), two))
	if diff := cmp.Diff([]recordings.Lock{one, two}, must(x.Locks(t.Context(), "", forever()))(t)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]recordings.Lock{one}, must(x.Locks(t.Context(), "front", recordings.Range{From: at(9), To: at(50)}))(t)); diff != "" {
		t.Error(diff)
	}
	if late := must(x.Locks(t.Context(), "front", recordings.Range{From: at(10), To: at(50)}))(t); late != nil {
		t.Errorf("after its end: %v", late)
	}
	ok(t, x.DeleteLock(t.Context(), "1"))
	if err := x.DeleteLock(t.Context(), "1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestPauses_WithoutAnEndGoOn(t *testing.T) {
	x := open(t)
	running := recordings.Pause{Camera: "front", Range: recordings.Range{From: at(0)}, By: "owner"}
	ok(t, x.PutPause(t.Context(), running))
	late := recordings.Range{From: at(1e6), To: at(1e6 + 1)}
	if diff := cmp.Diff([]recordings.Pause{running}, must(x.Pauses(t.Context(), "front", late))(t)); diff != "" {
		t.Error(diff)
	}
	ended := running
	ended.To = at(10)
	ok(t, x.PutPause(t.Context(), ended))
	if got := must(x.Pauses(t.Context(), "front", late))(t); got != nil {
		t.Errorf("after its end: %v", got)
	}
	if diff := cmp.Diff([]recordings.Pause{ended}, must(x.Pauses(t.Context(), "", recordings.Range{From: at(9), To: at(10)}))(t)); diff != "" {
		t.Error(diff)
	}
}
