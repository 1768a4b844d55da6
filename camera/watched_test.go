package camera

import "testing"

func TestHub_SaysWhetherSomebodyWatches(t *testing.T) {
	calls := 0
	h := NewHub(HubOptions{OnWatched: func() { calls++ }})
	tap := h.TapVideo()
	if h.Watched() || calls != 0 {
		t.Error("a tap counts as a viewer")
	}
	video, audio := h.SubscribeVideo(), h.SubscribeAudio()
	if !h.Watched() || calls != 1 {
		t.Errorf("watched %v after %d calls", h.Watched(), calls)
	}
	video.Close()
	video.Close()
	if !h.Watched() || calls != 1 {
		t.Error("the sound is still listened to")
	}
	audio.Close()
	tap.Close()
	if h.Watched() || calls != 2 {
		t.Errorf("watched %v after %d calls", h.Watched(), calls)
	}
}
