package camera_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
)

// steadySource delivers one key frame and stays connected. asked counts the
// requests for key frames.
type steadySource struct{ asked chan struct{} }

func (s *steadySource) Run(ctx context.Context, out camera.Output) error {
	out.SetTracks([]codecs.Track{{Codec: codecs.H264, ClockRate: 90_000}})
	out.WriteUnit(&codecs.Unit{Key: true, Payload: [][]byte{{0x65}}})
	<-ctx.Done()
	return ctx.Err()
}

func (s *steadySource) RequestKeyFrame() { s.asked <- struct{}{} }

func TestCamera_RunConnectsAllRenditionsAndEndsTheirSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := &steadySource{asked: make(chan struct{}, 1)}
		c, err := camera.New(camera.Options{ID: "front", Main: &steadySource{}, Sub: sub})
		if err != nil {
			t.Fatal(err)
		}
		if c.Name() != "front" || c.Renditions() != 2 {
			t.Errorf("name %q, %d renditions", c.Name(), c.Renditions())
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		synctest.Wait()
		for i := range c.Renditions() {
			if st := c.RenditionStatus(i); st.State != camera.Live {
				t.Errorf("rendition %d is %s", i, st.State)
			}
		}
		if c.Units() != 2 {
			t.Errorf("%d units", c.Units())
		}
		c.RequestKeyFrame(1)
		select {
		case <-sub.asked:
		default:
			t.Error("the request did not reach the source")
		}
		feed := c.Hub(1).SubscribeVideo()
		if f, _, ok := feed.Next(); f == nil || !ok || c.Viewers() != 1 {
			t.Errorf("frame %v, open %v, viewers %d", f, ok, c.Viewers())
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
		if _, _, ok := feed.Next(); ok {
			t.Error("the subscription outlived the camera")
		}
	})
}

func TestCamera_WatchersHearOfChangesWithoutBlockingThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := camera.New(camera.Options{ID: "front", Main: &steadySource{}})
		if err != nil {
			t.Fatal(err)
		}
		changed, stop := c.Watch()
		_, stopIdle := c.Watch() // never reads
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		synctest.Wait()
		select {
		case <-changed:
		default:
			t.Error("going live was not told")
		}
		stop()
		stopIdle()
		cancel()
		<-ended
	})
}

func TestNew_NeedsAnIDAndASource(t *testing.T) {
	if _, err := camera.New(camera.Options{Main: &steadySource{}}); err == nil {
		t.Error("no id was taken")
	}
	if _, err := camera.New(camera.Options{ID: "a"}); err == nil {
		t.Error("no source was taken")
	}
}
