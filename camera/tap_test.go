package camera_test

import (
	"testing"

	"github.com/sightline-cam/sightline/camera"
)

func TestHub_TapIsNoViewerAndIsNotWoken(t *testing.T) {
	h := newHub(camera.HubOptions{})
	write(h, 0, true, 10)
	write(h, 1, false, 10)
	s := h.TapVideo()
	defer s.Close()
	write(h, 2, false, 10)
	if h.Subscribers() != 0 {
		t.Errorf("%d viewers", h.Subscribers())
	}
	select {
	case <-s.Wake():
		t.Error("the tap was woken")
	default:
	}
	got, skipped := drain(t, s)
	wantPTS(t, got, 0, 1, 2)
	if skipped != 0 {
		t.Errorf("skipped %d", skipped)
	}
	for i := range int64(200) {
		write(h, 3+i, i == 150, 10)
	}
	got, skipped = drain(t, s)
	if skipped != 150 || got[len(got)-1] != 202 {
		t.Errorf("skipped %d, got %v", skipped, got)
	}
	h.Close()
	if _, _, ok := s.Next(); ok {
		t.Error("the tap outlives its hub")
	}
}
