package camerafeed_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder/camerafeed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source delivers two frames, then fails.
type source struct{ fail chan struct{} }

func (s source) Run(ctx context.Context, out camera.Output) error {
	out.SetTracks([]codecs.Track{{Codec: codecs.H264, ClockRate: 90_000}})
	for i := range int64(2) {
		out.WriteUnit(&codecs.Unit{PTS: i * 3600, Key: i == 0, Arrived: time.Now(), Payload: [][]byte{{0x65}}})
	}
	select {
	case <-s.fail:
		return errors.New("the cable was pulled")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestFeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		main := source{fail: make(chan struct{})}
		c, err := camera.New(camera.Options{ID: "front", Main: main, Sub: source{}})
		if err != nil {
			t.Fatal(err)
		}
		feeds := camerafeed.Feeds(c)
		if len(feeds) != 2 || feeds[recordings.Sub] == nil {
			t.Fatalf("%d feeds", len(feeds))
		}
		f := feeds[recordings.Main]
		if f.Offline() != "connecting to the camera" {
			t.Errorf("at first: %q", f.Offline())
		}
		video, sound := f.SubscribeVideo(), f.SubscribeAudio()
		defer video.Close()
		defer sound.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = c.Run(ctx)
		}()
		synctest.Wait()
		if f.Offline() != "" || len(f.Tracks()) != 1 {
			t.Errorf("then: %q, %d tracks", f.Offline(), len(f.Tracks()))
		}
		for range 2 {
			frame, _, ok := video.Next()
			if frame == nil || !ok || frame.Unit.At == 0 || frame.Codec != codecs.H264 {
				t.Errorf("frame %+v", frame)
			}
		}
		if c.Viewers() != 0 {
			t.Error("a recorder counts as a viewer")
		}
		f.RequestKeyFrame()
		close(main.fail)
		synctest.Wait()
		if !strings.HasPrefix(f.Offline(), "the camera is offline: ") || !strings.Contains(f.Offline(), "cable") {
			t.Errorf("in the end: %q", f.Offline())
		}
		cancel()
		<-done
	})
}
