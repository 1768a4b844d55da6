package playback

import (
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// filmFPS keeps the tests cheap.
const filmFPS = 2

// film adds a segment that plays: so many seconds of the test picture, a key frame
// and a fragment each second.
func (s *shelf) film(t testing.TB, ref recordings.Ref, seconds int, sound codecs.Codec, change func(*recordings.Segment)) recordings.Segment {
	t.Helper()
	at := ref.Start.Std()
	media := fmp4test.Pictures(t, testpattern.Options{Width: 640, Height: 360, FPS: filmFPS, GOP: time.Second}, seconds*filmFPS, at)
	var audio fmp4test.Media
	var track *codecs.Track
	if sound != codecs.Unknown {
		audio = fmp4test.Sound(t, sound, seconds, at)
		track = &audio.Track
	}
	mux, err := fmp4.NewMuxer(fmp4.Header{Ref: ref}, media.Track, track)
	if err != nil {
		t.Fatal(err)
	}
	data := append([]byte(nil), mux.Init()...)
	seg := recordings.Segment{Ref: ref, InitBytes: int64(len(data)), Format: mux.Format()}
	for i := range seconds {
		next := ref.Start.Add(time.Duration(i+1) * time.Second)
		var heard []*codecs.Unit
		for len(audio.Units) > 0 && audio.Units[0].At < int64(next) {
			heard, audio.Units = append(heard, audio.Units[0]), audio.Units[1:]
		}
		offset := int64(len(data))
		var f recordings.Fragment
		data, f, err = mux.AppendFragment(data, media.Units[i*filmFPS:(i+1)*filmFPS], heard, next)
		if err != nil {
			t.Fatal(err)
		}
		f.Offset = offset
		seg.Fragments = append(seg.Fragments, f)
	}
	seg.End, seg.Bytes = ref.Start.Add(time.Duration(seconds)*time.Second), int64(len(data))
	if change != nil {
		change(&seg)
	}
	s.put(t, seg, data)
	return seg
}
