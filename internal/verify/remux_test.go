package verify

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/mediasign"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/export"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// remuxed has ffmpeg put a file's video into another one.
func remuxed(t testing.TB, in string, args ...string) []byte {
	t.Helper()
	out := fmp4test.File(t, args[len(args)-1], nil)
	run := append([]string{"-nostdin", "-v", "error", "-y", "-i", in, "-c", "copy"}, args[:len(args)-1]...)
	fmp4test.Run(t, nil, "ffmpeg", append(run, out)...)
	return readFile(t, out)
}

// Pictures that are decoded in another order than shown are as they should be: in
// our files and in those of others.
func TestFile_ReorderedPicturesAreAuthentic(t *testing.T) {
	for _, k := range []struct {
		name, encoder string
		codec         codecs.Codec
		stream        string
	}{
		{"x264", "-vf setsar=4/3 -c:v libx264 -preset ultrafast -g 25 -bf 3 -x264-params b-pyramid=normal:scenecut=0 -color_range pc -color_primaries bt709 -color_trc bt709 -colorspace bt709", codecs.H264, "stream.h264"},
		{"x265 open", "-c:v libx265 -preset ultrafast -x265-params keyint=25:bframes=3:open-gop=1:scenecut=0:log-level=none", codecs.H265, "stream.hevc"},
	} {
		t.Run(k.name, func(t *testing.T) {
			film := newCamera(t).sign(t, fmp4test.Video(t, k.codec, k.encoder, "160x128", 85, noon()))
			own := segment(t, film)
			in := fmp4test.File(t, "own.mp4", own.Data)
			for name, data := range map[string][]byte{
				"segment":     own.Data,
				"export":      exported(t, export.Options{}, own),
				"progressive": remuxed(t, in, "progressive.mp4"),
				"dash":        remuxed(t, in, "-movflags", "+dash+frag_keyframe", "dash.mp4"),
				"raw":         remuxed(t, in, k.stream),
			} {
				r := check(t, data, Options{})
				if !r.AllWell || len(r.Periods) != 1 || r.Periods[0].To.Sub(r.Periods[0].From) < 2*time.Second {
					t.Errorf("%s: %s", name, strings.Join(r.Lines(), "\n"))
				}
			}
		})
	}
}

func TestFile_FragmentsWithinGroupsAreAuthentic(t *testing.T) {
	film := newCamera(t).film(t, 6, noon())
	h := fmp4.Header{Ref: recordings.Ref{Stream: recordings.Stream{Camera: "front", Rendition: recordings.Main}, Start: recordings.Time(film.Units[0].At)}}
	seg := fmp4test.Write(t, h, film, fmp4test.Sound(t, codecs.AAC, 5, noon()), 300*time.Millisecond, 0)
	in := fmp4test.File(t, "own.mp4", seg.Data)
	for name, data := range map[string][]byte{
		"segment":     seg.Data,
		"export":      exported(t, export.Options{}, seg),
		"progressive": remuxed(t, in, "progressive.mp4"),
		"fragmented":  remuxed(t, in, "-movflags", "+frag_keyframe", "fragmented.mp4"),
		"cut":         remuxed(t, in, "-ss", "2", "cut.mp4"),
	} {
		if r := check(t, data, Options{}); !r.AllWell || !strings.Contains(strings.Join(r.Notes, " "), "sound is not signed") {
			t.Errorf("%s: %s", name, strings.Join(r.Lines(), "\n"))
		}
	}
	if !bytes.Contains(seg.Data, []byte("soun")) {
		t.Error("there is no sound")
	}
}

// The parts of a long group overlap where pictures are out of order.
func TestFile_PartsWithReorderedPicturesAreAuthentic(t *testing.T) {
	c := newCamera(t).with(t, mediasign.Options{MaxDuration: time.Second})
	film := fmp4test.Video(t, codecs.H264, "-c:v libx264 -preset ultrafast -g 400 -bf 3 -x264-params b-pyramid=normal:scenecut=0", "160x128", 80, noon())
	start := film.Units[0].At
	for i, u := range film.Units {
		due := u.At-start >= 1_000_000
		film.Units[i] = c.signer.Sign(film.Track, u)
		if due {
			start = u.At
			c.signed++
		}
		c.await(t)
	}
	data := segment(t, film).Data
	r := check(t, data, Options{})
	expect(t, r)
	if len(r.Periods) != 1 || r.Periods[0].To.Sub(r.Periods[0].From) < 2*time.Second {
		t.Errorf("periods %v", r.Periods)
	}
}
