package export_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/export"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// moov returns the description of a file.
func moov(tb testing.TB, data []byte) *mp4.MoovBox {
	tb.Helper()
	r := bytes.NewReader(data)
	for at := uint64(0); ; {
		box, err := mp4.DecodeBox(at, r)
		if err != nil {
			tb.Fatal(err)
		}
		if m, ok := box.(*mp4.MoovBox); ok {
			return m
		}
		at += box.Size()
	}
}

// sizes returns the sizes of the pictures that ffmpeg decodes, each as often as it
// comes.
func sizes(tb testing.TB, file string) map[string]int {
	tb.Helper()
	out := fmp4test.Run(tb, nil, "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=width,height", "-of", "csv=p=0", file)
	counts := map[string]int{}
	for _, line := range bytes.Fields(out) {
		counts[string(line)]++
	}
	return counts
}

func TestExport_ChangeOfResolutionStaysOneTrack(t *testing.T) {
	s := &shelf{}
	s.put(t, pictures(t, 640, 360, 2, at(0)), fmp4test.Sound(t, codecs.PCMU, 2, noon()), at(0), at(2*time.Second))
	s.put(t, pictures(t, 848, 480, 2, at(2*time.Second)), fmp4test.Sound(t, codecs.PCMU, 2, noon().Add(2*time.Second)), at(2*time.Second), at(4*time.Second))
	s.put(t, pictures(t, 640, 360, 2, at(4*time.Second)), none(), at(4*time.Second), at(6*time.Second))
	_, data := s.export(t, at(0), at(time.Minute), export.Options{})
	m := moov(t, data)
	if len(m.Traks) != 2 || m.Traks[0].Mdia.Minf.Stbl.Stsd.SampleCount != 2 || m.Traks[1].Mdia.Minf.Stbl.Stsd.SampleCount != 1 {
		t.Errorf("%d tracks, %d and %d sample entries", len(m.Traks), m.Traks[0].Mdia.Minf.Stbl.Stsd.SampleCount, m.Traks[1].Mdia.Minf.Stbl.Stsd.SampleCount)
	}
	file := fmp4test.File(t, "e.mp4", data)
	fmp4test.Play(t, file)
	if got := sizes(t, file); got["640,360"] != 4*fps || got["848,480"] != 2*fps {
		t.Errorf("pictures of %v", got)
	}
}

func TestExport_ChangeOfCodecBeginsAnotherTrack(t *testing.T) {
	begin := noon().Add(2 * time.Second)
	h265 := fmp4test.Video(t, codecs.H265, "-c:v libx265 -x265-params log-level=none:keyint=25:bframes=0", "320x180", 50, begin)
	s := &shelf{}
	s.put(t, pictures(t, 640, 360, 2, at(0)), fmp4test.Sound(t, codecs.PCMU, 2, noon()), at(0), at(2*time.Second))
	s.put(t, h265, fmp4test.Sound(t, codecs.AAC, 2, begin), at(2*time.Second), at(4*time.Second))
	_, data := s.export(t, at(0), at(time.Minute), export.Options{})
	file := fmp4test.File(t, "e.mp4", data)
	fmp4test.Play(t, file)
	p := fmp4test.ProbeFile(t, file)
	var names []string
	for _, s := range p.Streams {
		names = append(names, s.CodecName)
	}
	if len(names) != 4 || names[0] != "h264" || names[1] != "pcm_mulaw" || names[2] != "hevc" || names[3] != "aac" {
		t.Fatalf("tracks %v", names)
	}
	for i, first := range []float64{0, 0, 2, 2} {
		if pts := times(t, p, i); math.Abs(pts[0]-first) > 0.03 {
			t.Errorf("track %d begins at %f, not %f", i, pts[0], first)
		}
	}
}

func TestExport_BFramesStayInStep(t *testing.T) {
	video := fmp4test.Video(t, codecs.H264, "-c:v libx264 -x264-params keyint=25:scenecut=0:bframes=3:b-pyramid=normal:b-adapt=0", "320x180", 100, noon())
	sound := fmp4test.Sound(t, codecs.Opus, 4, noon())
	s := &shelf{}
	s.cut(t, video, sound, at(4*time.Second), at(0), at(1500*time.Millisecond))
	if len(s.segments) != 2 {
		t.Fatalf("%d segments", len(s.segments))
	}
	for _, from := range []recordings.Time{at(0), keyAt(video, at(500*time.Millisecond), 0)} {
		e, data := s.export(t, from, at(time.Minute), export.Options{})
		begin := e.Range().From
		file := fmp4test.File(t, "e.mp4", data)
		fmp4test.Play(t, file)
		p := fmp4test.ProbeFile(t, file)
		checkTimes(t, times(t, p, 0), since(video, begin), begin, 0.0005)
		checkTimes(t, times(t, p, 1), during(sound, begin, at(4*time.Second)), begin, 0.0005)
	}
}

// since returns the units from the key frame at a time on, in decoding order.
func since(m fmp4test.Media, from recordings.Time) fmp4test.Media {
	for i, u := range m.Units {
		if u.Key && recordings.Time(u.At) >= from {
			return fmp4test.Media{Track: m.Track, Units: m.Units[i:]}
		}
	}
	return fmp4test.Media{Track: m.Track}
}

// A camera without B-frames, then one with: the second decodes earlier than it shows.
func TestExport_ChangeOfReorderingDecodesInOrder(t *testing.T) {
	encode := func(b string, begin time.Duration) fmp4test.Media {
		return fmp4test.Video(t, codecs.H264, "-c:v libx264 -x264-params keyint=25:b-adapt=0:bframes="+b, "320x180", 50, noon().Add(begin))
	}
	s := &shelf{}
	for i, b := range []string{"0", "3", "0"} {
		begin := time.Duration(i) * 2 * time.Second
		s.put(t, encode(b, begin), fmp4test.Sound(t, codecs.PCMU, 2, noon().Add(begin)), at(begin), at(begin+2*time.Second))
	}
	_, data := s.export(t, at(0), at(time.Minute), export.Options{})
	file := fmp4test.File(t, "e.mp4", data)
	fmp4test.Play(t, file)
	p := fmp4test.ProbeFile(t, file)
	pictures, sound := times(t, p, 0), times(t, p, 1) // checks the order of decoding
	if len(pictures) != 150 || len(sound) != 300 {
		t.Fatalf("%d pictures, %d frames of sound", len(pictures), len(sound))
	}
	for i := 1; i < 3; i++ {
		if v, a := pictures[i*50], sound[i*100]; math.Abs(v-a) > 0.002 || math.Abs(v-float64(2*i)) > 0.3 {
			t.Errorf("segment %d: picture at %f, sound at %f", i, v, a)
		}
	}
}

// The sound of a camera whose clocks disagree is brought back at each segment; an
// export must not add the errors up.
func TestExport_ManySegmentsStayInStep(t *testing.T) {
	video := pictures(t, 640, 360, 12, at(0))
	for _, percent := range []int64{98, 102} {
		sound := fmp4test.Sound(t, codecs.PCMU, 11, noon())
		for _, u := range sound.Units {
			u.PTS = u.PTS * percent / 100
		}
		var starts []recordings.Time
		for i := range time.Duration(6) {
			starts = append(starts, at(i*2*time.Second))
		}
		s := &shelf{}
		s.cut(t, video, sound, at(12*time.Second), starts...)
		_, data := s.export(t, at(0), at(time.Minute), export.Options{})
		file := fmp4test.File(t, "e.mp4", data)
		fmp4test.Play(t, file)
		p := fmp4test.ProbeFile(t, file)
		checkTimes(t, times(t, p, 0), video, at(0), 0.0005)
		checkTimes(t, times(t, p, 1), sound, at(0), 0.08)
	}
}
