package v4l2

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/v4l2/encoder"
)

// slowEncoder stands for an encoder: every picture becomes the test picture's next one.
type slowEncoder struct {
	video    *video
	settings encoder.Settings
	takes    time.Duration

	mu     sync.Mutex
	seen   []byte // first byte of each picture
	keys   int    // pictures with a key frame asked for
	closed int
}

func (e *slowEncoder) Encode(picture []byte, key bool) ([]byte, error) {
	time.Sleep(e.takes) //nolint:forbidigo // virtual time
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(picture) < e.settings.Width*e.settings.Height*2 {
		return nil, fmt.Errorf("cut off: %w", encoder.ErrPicture)
	}
	e.seen = append(e.seen, picture[0])
	if key {
		e.keys++
		e.video.encoder.ForceKey()
	}
	return e.video.next(), nil
}

func (e *slowEncoder) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed++
	return nil
}

// with returns options with the encoder.
func (e *slowEncoder) with(o Options) Options {
	o.newEncoder = func(s encoder.Settings) (pictureEncoder, error) {
		e.settings = s
		return e, nil
	}
	return o
}

// yuyv is a picture with a number.
func yuyv(n byte) []byte {
	b := make([]byte, 640*360*2)
	b[0] = n
	return b
}

func TestSource_EncodesPictures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &slowEncoder{video: newVideo(t), takes: 5 * time.Millisecond}
		w := watch(t, raw(), e.with(Options{KeyInterval: 4 * time.Second}))
		begin := time.Now()
		w.deliver(yuyv(1), yuyv(2))
		w.source.RequestKeyFrame()
		w.deliver(yuyv(3))
		w.deliver([]byte("cut off"), yuyv(4))
		units := w.out.take()
		if len(units) != 4 || !units[0].Key || units[1].Key || !units[2].Key || units[3].Key {
			t.Fatalf("%d units; %q", len(units), w.reason())
		}
		if !units[1].Wall.Equal(begin.Add(interval)) {
			t.Errorf("the second picture was captured %v after the beginning", units[1].Wall.Sub(begin))
		}
		s := e.settings
		if s.FourCC != "YUYV" || s.Width != 640 || s.Height != 360 || s.Rate != 25 || s.KeyInterval != 100 || s.Bitrate != 640*360*25/10 {
			t.Errorf("settings %+v", s)
		}
		_ = w.end()
		if e.closed != 1 {
			t.Errorf("the encoder was closed %d times", e.closed)
		}
	})
}

// An encoder that is too slow costs pictures, and no delay that grows.
func TestSource_EncodesTheNewestPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &slowEncoder{video: newVideo(t), takes: interval * 5 / 2}
		w := watch(t, raw(), e.with(Options{}))
		for n := range byte(100) {
			w.deliver(yuyv(n))
		}
		w.pass(time.Second)
		for i, u := range w.out.take() {
			if late := u.Arrived.Sub(u.Wall); late > interval*5/2 {
				t.Errorf("picture %d was taken %v after it was captured", i, late)
			}
		}
		if n := len(e.seen); n < 35 || n > 42 {
			t.Errorf("%d pictures encoded of 100, two fifths of which there was time for", n)
		}
	})
}

func TestSource_EndsWhenNoPictureCanBeUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &slowEncoder{video: newVideo(t)}
		w := watch(t, raw(), e.with(Options{}))
		w.deliver(yuyv(1))
		for range maxUnusable {
			w.deliver([]byte("cut off"))
		}
		if w.super.Status().State != camera.Offline || !strings.Contains(w.reason(), "choose another --format or --size") {
			t.Errorf("status %+v", w.super.Status())
		}
	})
}

func TestSource_SaysWhyItCannotEncode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, raw(), Options{newEncoder: func(encoder.Settings) (pictureEncoder, error) { return nil, errors.New("no memory") }})
		if !strings.Contains(w.reason(), "no memory") {
			t.Errorf("status %q", w.reason())
		}
	})
}
