package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/spool"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

func TestRemote_SoundComesWithItsPictures(t *testing.T) {
	for _, codec := range []codecs.Codec{codecs.PCMU, codecs.AAC} {
		synctest.Test(t, func(t *testing.T) {
			a, s := newAgent(t), &shelf{}
			a.order, a.cameras["front"] = []string{"front"}, &filmed{epoch: 7, codec: codec}
			a.start("front", spool.Options{})
			_, stop := record(t, a, s, nil)
			a.film(20*time.Second + 300*time.Millisecond)
			a.outage()
			a.film(40 * time.Second)
			a.mend()
			a.film(30 * time.Second)
			stop()
			wantAll(t, a, s, "front")
			sounds := a.cameras["front"].sounds
			var heard []piece
			for _, p := range s.pieces(t, mainOf("front")) {
				heard = append(heard, piece{video: p.audio})
			}
			lacking, twice, _ := compare(sounds[:len(sounds)-120], heard)
			_, _, otherwise := compare(sounds, heard)
			if lacking > 2 || twice > 0 || otherwise > 0 { // what came before the first key frame was seen
				t.Errorf("%s: %d of %d sounds are missing, %d there twice, %d otherwise", codec, lacking, len(sounds), twice, otherwise)
			}
			if n := a.fetched(); codec == codecs.PCMU && n > 55 {
				t.Errorf("%d fragments were fetched", n)
			}
		})
	}
}

func TestRemote_PauseHoldsForTheBackgroundToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front"), &shelf{}
		_, stop := record(t, a, s, func(o *Options) { o.CatchUpBytes = 1 })
		a.film(10 * time.Second)
		pause := recordings.Range{From: recordings.Time(began + 12e6), To: recordings.Time(began + 60e6)}
		s.set(func(s *shelf) { s.pauses = []recordings.Pause{{Camera: "front", Range: pause}} })
		a.film(20*time.Second + 300*time.Millisecond)
		a.outage()
		a.film(50 * time.Second)
		a.mend()
		a.film(30 * time.Second)
		stop()
		n := 0
		for _, p := range s.pieces(t, mainOf("front")) {
			if pause.Overlaps(recordings.Range{From: p.start, To: p.end}) {
				t.Errorf("recorded in a pause: %v", p.start)
			}
			n++
		}
		if n < 110-48-8 {
			t.Errorf("%d seconds are recorded", n)
		}
	})
}

func TestRemote_WhatWasBeforeAnEventIsFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front"), &shelf{}
		_, stop := record(t, a, s, func(o *Options) {
			o.Policy = func(string) recorder.Policy {
				return recorder.Policy{OnEvent: true, PreRoll: 10 * time.Second, PostRoll: 5 * time.Second}
			}
		})
		a.film(40 * time.Second)
		if n := len(s.pieces(t, mainOf("front"))); n != 0 {
			t.Errorf("%d seconds are recorded before anything happened", n)
		}
		at := recordings.Time(began + 40e6)
		s.set(func(s *shelf) {
			s.events = []recordings.Event{{Camera: "front", Range: recordings.Range{From: at, To: at.Add(2 * time.Second)}}}
		})
		a.film(60 * time.Second)
		stop()
		got := s.pieces(t, mainOf("front"))
		if len(got) != 17 || got[0].start != recordings.Time(began+30e6) || got[16].end != recordings.Time(began+47e6) {
			t.Errorf("%d seconds are recorded", len(got))
		}
	})
}

func TestRemote_BothRenditions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front"), &shelf{}
		c := a.cameras["front"]
		c.stop()
		c.hubs = []*camera.Hub{c.hub, c.hub} // the same pictures twice will do
		c.hub = camera.NewHub(camera.HubOptions{})
		c.hub.SetTracks([]codecs.Track{{Codec: codecs.H264, ClockRate: 90_000}})
		c.spool = spool.New([]*camera.Hub{c.hub, c.hub}, spool.Options{})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { _ = c.spool.Run(ctx); close(done) }()
		c.stop = func() { cancel(); <-done; c.hub.Close() }
		_, stop := record(t, a, s, func(o *Options) {
			o.Policy = func(string) recorder.Policy {
				return recorder.Policy{Renditions: []string{recordings.Main, recordings.Sub}}
			}
		})
		a.film(60 * time.Second)
		stop()
		wantAll(t, a, s, "front")
		sub := s.pieces(t, recordings.Stream{Camera: "front", Rendition: recordings.Sub})
		if len(sub) < 50 {
			t.Errorf("%d seconds of the small rendition", len(sub))
		}
	})
}

// journal is a log.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.b.String(), text)
}

func TestRemote_AgentWithoutASpoolIsRecordedAsItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s, log := newAgent(t, "front"), &shelf{}, &journal{}
		a.noSpool = true
		r, stop := record(t, a, s, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(log, nil)) })
		a.film(20 * time.Second)
		a.outage()
		a.film(5 * time.Second)
		a.mend()
		a.film(20 * time.Second)
		st := r.Status().Streams[0]
		stop()
		recorded := s.pieces(t, mainOf("front"))
		if len(recorded) < 30 || st.Verified || !st.Recording || log.count("recorded as it comes live") != 1 {
			t.Errorf("%d fragments, status %+v, log:\n%s", len(recorded), st, log.b.String())
		}
	})
}

func TestRemote_AgentThatLiesIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front"), &shelf{}
		a.lose = func(n int) bool { return n%100 == 50 }
		a.lie = func(path string, body []byte) []byte {
			if strings.Count(path, "/") > 4 && len(body) > 1000 {
				body = bytes.Clone(body)
				body[len(body)-1] ^= 1
			}
			return body
		}
		r, stop := record(t, a, s, nil)
		a.film(100 * time.Second)
		st := r.Status().Streams[0]
		stop()
		if _, _, otherwise := compare(a.cameras["front"].made, s.pieces(t, mainOf("front"))); otherwise > 0 || st.Repaired > 0 {
			t.Errorf("%d pictures are recorded that the camera did not make", otherwise)
		}
		a.lie = func(_ string, body []byte) []byte { return bytes.ReplaceAll(body, []byte(`"seq":`), []byte(`"seq":-`)) }
		_, stop = record(t, a, &shelf{}, nil)
		a.film(20 * time.Second)
		stop()
	})
}

func TestRemote_StoreThatFailsIsFilledLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s, log := newAgent(t, "front"), &shelf{}, &journal{}
		_, stop := record(t, a, s, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(log, nil)) })
		a.film(20 * time.Second)
		s.set(func(s *shelf) { s.fail = errors.New("no space left on device") })
		a.film(30 * time.Second)
		s.set(func(s *shelf) { s.fail = nil })
		a.film(60 * time.Second)
		stop()
		wantAll(t, a, s, "front")
		if n := log.count("no space left"); n != 1 {
			t.Errorf("%d lines about it", n)
		}
	})
}

// What an agent sent last is kept, should it never be seen again; if it is, and has
// more of it, that takes its place.
func TestRemote_LastPicturesOfAnAgentThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front"), &shelf{}
		_, stop := record(t, a, s, nil)
		a.film(20*time.Second + 400*time.Millisecond)
		a.outage()
		a.film(30 * time.Second)
		got := s.pieces(t, mainOf("front"))
		if end := got[len(got)-1].end; end < recordings.Time(began+20_300_000) || end > recordings.Time(began+20_500_000) {
			t.Errorf("recorded until %v", end)
		}
		a.mend()
		a.film(40 * time.Second)
		stop()
		wantAll(t, a, s, "front")
		if s.deleted != 1 {
			t.Errorf("%d segments were replaced", s.deleted)
		}
	})
}

// screen is an Output.
type screen struct {
	mu     sync.Mutex
	tracks []codecs.Track
	units  []*codecs.Unit
}

func (s *screen) SetTracks(tracks []codecs.Track) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracks = tracks
}

func (s *screen) WriteUnit(u *codecs.Unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.units = append(s.units, u)
}
func (s *screen) Warn(string, string) {}

func TestCamera_CanBeWatchedHereToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t), &shelf{}
		a.order, a.cameras["front"] = []string{"front"}, &filmed{epoch: 7, codec: codecs.PCMU}
		a.start("front", spool.Options{})
		known := make(chan *Camera, 9)
		_, stop := record(t, a, s, func(o *Options) {
			o.OnCamera = func(c *Camera) { known <- c }
			o.LocalID = func(id string) string { return "garden-" + id }
		})
		a.film(3 * time.Second)
		c := <-known
		if len(known) != 0 || c.ID() != "garden-front" || c.Remote() != "front" || c.Name() != "Camera front" {
			t.Fatalf("camera %+v, and %d more", c, len(known))
		}
		var out screen
		ended := make(chan error, 1)
		go func() { ended <- c.Run(t.Context(), &out) }()
		a.film(15 * time.Second)
		out.mu.Lock()
		if len(out.tracks) != 2 || out.tracks[1].Codec != codecs.PCMU || len(out.units) < 100 || !out.units[0].Key {
			t.Errorf("%d units of %+v", len(out.units), out.tracks)
		}
		out.mu.Unlock()
		a.outage()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "connection to the agent was lost") {
			t.Errorf("ended with %v", err)
		}
		<-time.After(time.Second)
		if err := c.Run(t.Context(), &out); err == nil || err.Error() != "The agent cannot be reached." {
			t.Errorf("without an agent: %v", err)
		}
		stop()
		if len(s.pieces(t, recordings.Stream{Camera: "garden-front", Rendition: recordings.Main})) == 0 {
			t.Error("nothing is recorded by its id here")
		}
	})
}

func TestRemote_ManyCamerasAndOnesThatComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		for i := range 17 {
			ids = append(ids, fmt.Sprintf("c%02d", i))
		}
		a, s := newAgent(t, ids...), &shelf{}
		r, stop := record(t, a, s, nil)
		a.film(20 * time.Second)
		a.mu.Lock()
		a.order = append(slices.Clone(a.order), "late")
		a.cameras["late"] = &filmed{epoch: 5, next: a.cameras["c00"].next}
		a.mu.Unlock()
		a.start("late", spool.Options{})
		a.film(90 * time.Second)
		stop()
		for _, id := range a.order {
			wantAll(t, a, s, id)
		}
		if n := len(r.Cameras()); n != 18 || len(r.Status().Streams) != 18 {
			t.Errorf("%d cameras", n)
		}
	})
}
