package pictures_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera/pictures"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// sink writes down what it is given, in order.
type sink struct {
	said  []string
	units []*codecs.Unit
}

func (s *sink) SetTrack(int, codecs.Track) { s.said = append(s.said, "track") }
func (s *sink) Warn(kind, text string) {
	if text != "" {
		s.said = append(s.said, kind)
	}
}
func (s *sink) Trouble(what string, _ error) { s.said = append(s.said, what) }
func (s *sink) WriteUnit(u *codecs.Unit) {
	s.said, s.units = append(s.said, "unit"), append(s.units, u)
}

// write hands on n pictures of the test picture with the same time stamp, from the
// skipped one on.
func write(t *testing.T, s *sink, skip, n int) {
	t.Helper()
	e, err := testpattern.New(testpattern.Options{Width: 640, Height: 360, GOP: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	v := pictures.New(3, codecs.Track{Codec: codecs.H264, ClockRate: 90_000}, s)
	for i := range n {
		units := e.Encode(time.Now())
		if i >= skip {
			v.Write(v.Assemble(units), 9000, time.Time{}, time.Now())
		}
	}
	if got, want := v.Begun(), len(s.units) > 0; got != want {
		t.Errorf("Begun %v after %d units", got, len(s.units))
	}
}

func TestVideo_TrackIsAnnouncedBeforeItsFirstUnit(t *testing.T) {
	s := &sink{}
	write(t, s, 0, 3)
	if got := strings.Join(s.said, " "); got != "track unit unit unit" {
		t.Errorf("said %q", got)
	}
	for i, u := range s.units {
		if u.Track != 3 || u.Key != (i == 0) || u.PTS != 9000+int64(i) {
			t.Errorf("unit %d: track %d, key %v, PTS %d", i, u.Track, u.Key, u.PTS)
		}
	}
}

func TestVideo_WhatCannotBeDecodedIsCountedAndNotHandedOn(t *testing.T) {
	s := &sink{}
	write(t, s, 1, 3)
	const missing = "pictures without their parameter sets"
	if got := strings.Join(s.said, ", "); got != missing+", "+missing {
		t.Errorf("said %q", got)
	}
}
