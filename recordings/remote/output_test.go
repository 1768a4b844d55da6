package remote

import (
	"slices"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/viewer"
)

// shown is what an output was told.
type shown struct {
	tracks [][]codecs.Track
	units  []*codecs.Unit
}

func (s *shown) SetTracks(t []codecs.Track) { s.tracks = append(s.tracks, t) }
func (s *shown) WriteUnit(u *codecs.Unit)   { s.units = append(s.units, u) }
func (s *shown) Warn(string, string)        {}

func TestOutput_AnnouncesHowPicturesAreCodedBeforeTheFirst(t *testing.T) {
	to := &shown{}
	o := &output{to: to}
	picture := func(width, height int) *testpattern.Encoder {
		e, err := testpattern.New(testpattern.Options{Width: width, Height: height})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	small, large := picture(640, 360), picture(1280, 720)
	show := func(e *testpattern.Encoder) {
		units := e.Encode(time.Unix(1_800_000_000, 0))
		o.frame(viewer.Frame{Codec: codecs.H264, Unit: &codecs.Unit{Key: len(units) > 1, Payload: units}})
	}
	sound := func(c codecs.Codec) {
		o.frame(viewer.Frame{Codec: c, Unit: &codecs.Unit{Payload: [][]byte{{1}}}})
	}
	sound(codecs.Opus) // before the first picture
	show(small)
	show(small)
	sound(codecs.Opus)
	sound(codecs.Opus)
	show(small)
	show(large)
	o.close()
	show(large)
	if len(to.tracks) != 3 || len(to.units) != 6 {
		t.Fatalf("%d units, and the tracks were announced %d times", len(to.units), len(to.tracks))
	}
	for i, e := range []*testpattern.Encoder{small, small, large} {
		sps, pps := e.ParameterSets()
		if v := to.tracks[i][0]; v.Codec != codecs.H264 || !slices.Equal(v.SPS, sps) || !slices.Equal(v.PPS, pps) {
			t.Errorf("announcement %d is %+v", i, v)
		}
	}
	if len(to.tracks[0]) != 1 || len(to.tracks[1]) != 2 || to.tracks[2][1].Codec != codecs.Opus || to.units[2].Track != 1 || to.units[3].Track != 1 {
		t.Errorf("the sound was announced as %+v", to.tracks)
	}
}
