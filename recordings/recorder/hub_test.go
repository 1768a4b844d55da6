package recorder

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
	"github.com/sightline-cam/sightline/recordings"
)

// theatre is a camera for tests: it is a Feed, and what plays on it.
type theatre struct {
	film  *film
	music *music

	mu      sync.Mutex
	tracks  []codecs.Track
	video   []*rtppack.Frame
	sound   []*rtppack.Frame
	offline string
	asked   int
	skipped int // to be reported before the next frame
	lag     []*rtppack.Frame
	late    int // units of sound that are on their way
	closed  bool
}

func newTheatre(t *testing.T) *theatre {
	t.Helper()
	h := &theatre{film: newFilm(t, time.Now())}
	h.tracks = []codecs.Track{h.film.track()}
	return h
}

func (h *theatre) withMusic() *theatre {
	h.music = &music{at: h.film.at}
	h.tracks = append(h.tracks, *h.music.track())
	return h
}

func (h *theatre) Tracks() []codecs.Track {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tracks
}

func (h *theatre) Offline() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.offline
}

func (h *theatre) RequestKeyFrame() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
}

func (h *theatre) SubscribeVideo() Subscription { return &seat{theatre: h, video: true} }
func (h *theatre) SubscribeAudio() Subscription { return &seat{theatre: h} }

func (h *theatre) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// show plays for a time: a frame each interval, and two units of sound.
func (h *theatre) show(d time.Duration) {
	for range int64(d/time.Microsecond) / h.film.interval {
		h.put(h.film.next())
		if h.music != nil {
			h.mu.Lock()
			for _, u := range h.music.frames(2) {
				h.lag = append(h.lag, rtppack.NewFrame(h.music.track().Codec, u))
			}
			for len(h.lag) > h.late {
				h.lag[0].Unit.Arrived = time.Now()
				h.sound, h.lag = append(h.sound, h.lag[0]), h.lag[1:]
			}
			h.mu.Unlock()
		}
		<-time.After(time.Duration(h.film.interval) * time.Microsecond)
	}
}

func (h *theatre) put(u *codecs.Unit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.video = append(h.video, rtppack.NewFrame(h.film.track().Codec, u))
}

// dark shows nothing for a time.
func (h *theatre) dark(d time.Duration) {
	h.film.skip(int64(d/time.Microsecond) / h.film.interval)
	if h.music != nil {
		h.music.n += int64(d / (20 * time.Millisecond))
	}
	<-time.After(d)
}

// seat is a subscription that misses nothing.
type seat struct {
	theatre *theatre
	video   bool
	pos     int
	left    bool
}

func (s *seat) Next() (*rtppack.Frame, int, bool) {
	h := s.theatre
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.left || h.closed {
		return nil, 0, false
	}
	list := h.sound
	if s.video {
		list = h.video
	}
	if s.pos >= len(list) {
		return nil, 0, true
	}
	skipped := 0
	if s.video && h.skipped > 0 {
		skipped, h.skipped = h.skipped, 0
	}
	s.pos++
	return list[s.pos-1], skipped, true
}

func (s *seat) Close() { s.left = true }

// studio records theatres.
type studio struct {
	*Recorder
	shelf *shelf
	end   func()
}

// record starts a recorder of one camera, front.
func record(t *testing.T, h *theatre, p Policy, change func(*Options, *shelf)) *studio {
	t.Helper()
	s := &shelf{}
	o := Options{Store: s, Inputs: []Input{{Camera: "front", Policy: p, Feeds: map[string]Feed{recordings.Main: h}}}}
	if change != nil {
		change(&o, s)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	t.Cleanup(end)
	synctest.Wait()
	return &studio{r, s, end}
}

// virtual runs a test in virtual time, beginning on 1 January 2000.
func virtual(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}
