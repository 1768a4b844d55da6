package camera_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
)

func newHub(o camera.HubOptions) *camera.Hub {
	h := camera.NewHub(o)
	h.SetTracks([]codecs.Track{{Codec: codecs.H264, ClockRate: 90000}, {Codec: codecs.PCMU, ClockRate: 8000, Channels: 1}})
	return h
}

func write(h *camera.Hub, pts int64, key bool, size int) {
	h.WriteUnit(&codecs.Unit{PTS: pts, Key: key, Payload: [][]byte{make([]byte, size)}})
}

// drain returns the PTS of all frames available, and the frames skipped.
func drain(t *testing.T, s *camera.Subscription) (pts []int64, skipped int) {
	t.Helper()
	for {
		f, n, ok := s.Next()
		if !ok {
			t.Fatal("subscription ended")
		}
		skipped += n
		if f == nil {
			return pts, skipped
		}
		pts = append(pts, f.Unit.PTS)
	}
}

func wantPTS(t *testing.T, got []int64, want ...int64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestHub_NewViewerBeginsAtTheCachedKeyFrame(t *testing.T) {
	h := newHub(camera.HubOptions{})
	for i := range int64(25) {
		write(h, i, i%10 == 0, 100)
	}
	s := h.SubscribeVideo()
	defer s.Close()
	got, skipped := drain(t, s)
	wantPTS(t, got, 20, 21, 22, 23, 24)
	if skipped != 0 {
		t.Fatalf("skipped %d", skipped)
	}
}

func TestHub_DropsVideoBeforeTheFirstKeyFrame(t *testing.T) {
	h := newHub(camera.HubOptions{})
	s := h.SubscribeVideo()
	defer s.Close()
	write(h, 1, false, 10)
	write(h, 2, true, 10)
	write(h, 3, false, 10)
	got, skipped := drain(t, s)
	wantPTS(t, got, 2, 3)
	if skipped != 0 {
		t.Fatalf("skipped %d", skipped)
	}
}

func TestHub_SlightlyLateConsumerLosesNothingAcrossAKeyFrame(t *testing.T) {
	h := newHub(camera.HubOptions{Slack: 8})
	write(h, 0, true, 10)
	s := h.SubscribeVideo()
	defer s.Close()
	drain(t, s)
	for i := int64(1); i < 8; i++ {
		write(h, i, i == 5, 10)
	}
	got, skipped := drain(t, s)
	wantPTS(t, got, 1, 2, 3, 4, 5, 6, 7)
	if skipped != 0 {
		t.Fatalf("skipped %d", skipped)
	}
}

func TestHub_SlowViewerSkipsWholeGOP(t *testing.T) {
	h := newHub(camera.HubOptions{Slack: 4})
	write(h, 0, true, 10)
	s := h.SubscribeVideo()
	defer s.Close()
	drain(t, s)
	for i := int64(1); i < 40; i++ {
		write(h, i, i%10 == 0, 10)
	}
	got, skipped := drain(t, s)
	wantPTS(t, got, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39)
	if skipped != 29 || s.Skipped() != 29 {
		t.Fatalf("skipped %d, total %d, want 29", skipped, s.Skipped())
	}
}

func TestHub_GOPLargerThanTheBoundWaitsForAKeyFrame(t *testing.T) {
	h := newHub(camera.HubOptions{MaxBytes: 1000, Slack: 2})
	for i := range int64(20) {
		write(h, i, i == 0, 100)
	}
	s := h.SubscribeVideo()
	defer s.Close()
	if got, _ := drain(t, s); len(got) != 0 {
		t.Fatalf("got %v from the middle of a GOP", got)
	}
	write(h, 20, false, 100)
	write(h, 21, true, 100)
	got, skipped := drain(t, s)
	wantPTS(t, got, 21)
	if skipped != 0 {
		t.Fatalf("skipped %d", skipped)
	}
}

func TestHub_InterruptWaitsForAKeyFrame(t *testing.T) {
	h := newHub(camera.HubOptions{})
	write(h, 0, true, 10)
	s := h.SubscribeVideo()
	defer s.Close()
	drain(t, s)
	h.Interrupt()
	write(h, 1, false, 10)
	write(h, 2, true, 10)
	got, _ := drain(t, s)
	wantPTS(t, got, 2)
}

func TestSubscription_SkipToFreshKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(camera.HubOptions{})
		at := func(pts int64, key bool) {
			h.WriteUnit(&codecs.Unit{PTS: pts, Key: key, Arrived: time.Now(), Payload: [][]byte{{1}}})
		}
		at(0, true)
		s := h.SubscribeVideo()
		defer s.Close()
		time.Sleep(time.Second) //nolint:forbidigo // virtual time
		if s.SkipToFreshKey(500 * time.Millisecond) {
			t.Fatal("went to a key frame of a second ago")
		}
		drain(t, s)
		at(1, false)
		if s.SkipToFreshKey(500 * time.Millisecond) {
			t.Fatal("went back to a key frame that was already read")
		}
		at(2, true)
		at(3, false)
		if n := s.Behind(); n != 3 {
			t.Fatalf("behind %d, want 3", n)
		}
		if !s.SkipToFreshKey(500 * time.Millisecond) {
			t.Fatal("did not go to the fresh key frame")
		}
		got, _ := drain(t, s)
		wantPTS(t, got, 2, 3)
	})
}

func TestHub_AudioBeginsLive(t *testing.T) {
	h := newHub(camera.HubOptions{})
	h.WriteUnit(&codecs.Unit{Track: 1, PTS: 1, Key: true, Payload: [][]byte{{1}}})
	s := h.SubscribeAudio()
	defer s.Close()
	h.WriteUnit(&codecs.Unit{Track: 1, PTS: 2, Key: true, Payload: [][]byte{{1}}})
	got, _ := drain(t, s)
	wantPTS(t, got, 2)
}

func TestHub_CloseEndsSubscriptions(t *testing.T) {
	h := newHub(camera.HubOptions{})
	s := h.SubscribeVideo()
	<-s.Wake()
	h.Close()
	<-s.Wake()
	if _, _, ok := s.Next(); ok {
		t.Fatal("still open")
	}
	s.Close()
	late := h.SubscribeVideo()
	if _, _, ok := late.Next(); ok {
		t.Fatal("a closed hub gave a live subscription")
	}
}

func BenchmarkHub_Publish100Viewers(b *testing.B) {
	h := newHub(camera.HubOptions{})
	subs := make([]*camera.Subscription, 100)
	for i := range subs {
		subs[i] = h.SubscribeVideo()
	}
	payload := [][]byte{make([]byte, 10000)}
	b.ReportAllocs()
	for i := range b.N {
		h.WriteUnit(&codecs.Unit{PTS: int64(i), Key: i%50 == 0, Payload: payload})
		for _, s := range subs {
			<-s.Wake()
			if f, _, _ := s.Next(); f == nil && i >= 50 {
				b.Fatal("no frame")
			}
		}
	}
}
