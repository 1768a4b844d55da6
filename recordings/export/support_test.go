package export_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/export"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// at is so long after noon.
func at(d time.Duration) recordings.Time { return recordings.TimeOf(noon().Add(d)) }

// shelf holds segments in memory.
type shelf struct {
	segments []recordings.Segment
	data     map[recordings.Ref][]byte
	opened   int
	closed   int
}

// put keeps a segment of a video from begin on; sound may be none.
func (s *shelf) put(tb testing.TB, video, sound fmp4test.Media, begin, end recordings.Time) {
	tb.Helper()
	h := fmp4.Header{
		Ref:        recordings.Ref{Stream: recordings.Stream{Camera: "front", Rendition: recordings.Main}, Start: begin},
		CameraName: "Haustür",
	}
	seg := fmp4test.Write(tb, h, video, sound, time.Second, end)
	s.segments = append(s.segments, seg.Segment)
	if s.data == nil {
		s.data = map[recordings.Ref][]byte{}
	}
	s.data[seg.Ref] = seg.Data
}

// cut puts media away as one segment for each of the times, at the first key frame
// from there on, the last one up to end.
func (s *shelf) cut(tb testing.TB, video, sound fmp4test.Media, end recordings.Time, starts ...recordings.Time) {
	tb.Helper()
	for i := range starts {
		from, to := keyAt(video, starts[i], end), end
		if i+1 < len(starts) {
			to = keyAt(video, starts[i+1], end)
		}
		s.put(tb, during(video, from, to), during(sound, from, to), from, to)
	}
}

// keyAt returns the time of the first key frame from a time on, or end.
func keyAt(m fmp4test.Media, t, end recordings.Time) recordings.Time {
	for _, u := range m.Units {
		if u.Key && recordings.Time(u.At) >= t {
			return recordings.Time(u.At)
		}
	}
	return end
}

// during returns the units of a time.
func during(m fmp4test.Media, from, to recordings.Time) fmp4test.Media {
	out := fmp4test.Media{Track: m.Track}
	for _, u := range m.Units {
		if t := recordings.Time(u.At); t >= from && t < to {
			out.Units = append(out.Units, u)
		}
	}
	return out
}

func (s *shelf) open(_ context.Context, ref recordings.Ref) (export.Media, error) {
	data, ok := s.data[ref]
	if !ok {
		return nil, fmt.Errorf("there is no segment %v", ref)
	}
	s.opened++
	return &media{Reader: bytes.NewReader(data), shelf: s}, nil
}

type media struct {
	*bytes.Reader
	shelf *shelf
}

func (m *media) Close() error {
	m.shelf.closed++
	return nil
}

// export reads a whole export.
func (s *shelf) export(tb testing.TB, from, to recordings.Time, o export.Options) (*export.Export, []byte) {
	tb.Helper()
	e, err := export.New(tb.Context(), s.open, s.segments, recordings.Range{From: from, To: to}, o)
	if err != nil {
		tb.Fatal(err)
	}
	data, err := io.ReadAll(e)
	if err != nil {
		tb.Fatal(err)
	}
	if int64(len(data)) != e.Size() {
		tb.Fatalf("%d bytes, %d promised", len(data), e.Size())
	}
	if err := e.Close(); err != nil {
		tb.Fatal(err)
	}
	if s.opened != s.closed {
		tb.Errorf("opened %d times, closed %d times", s.opened, s.closed)
	}
	return e, data
}

// fps is low because making the test picture takes most of the tests' time.
const fps = 5

// pictures are frames of the test picture, a key frame each second.
func pictures(tb testing.TB, width, height int, seconds int, begin recordings.Time) fmp4test.Media {
	tb.Helper()
	return fmp4test.Pictures(tb, testpattern.Options{Width: width, Height: height, FPS: fps, GOP: time.Second}, fps*seconds, begin.Std())
}

// none is no sound.
func none() fmp4test.Media { return fmp4test.Media{} }

// threeSegments is a camera with sound, six seconds in three segments.
func threeSegments(tb testing.TB, sound codecs.Codec) (*shelf, fmp4test.Media, fmp4test.Media) {
	tb.Helper()
	video, audio := pictures(tb, 640, 360, 6, at(0)), fmp4test.Sound(tb, sound, 6, noon())
	s := &shelf{}
	s.cut(tb, video, audio, at(6*time.Second), at(0), at(2*time.Second), at(4*time.Second))
	return s, video, audio
}

// times returns the presentation times of a track's frames, as ffprobe finds them.
// They have to be decoded one after the other.
func times(tb testing.TB, p fmp4test.Probe, stream int) (pts []float64) {
	tb.Helper()
	last := -1e9
	for _, packet := range p.Packets {
		if packet.Stream != stream {
			continue
		}
		pts = append(pts, fmp4test.Seconds(tb, packet.PTS))
		if d := fmp4test.Seconds(tb, packet.DTS); d <= last {
			tb.Errorf("track %d: decoded at %f after %f", stream, d, last)
		} else {
			last = d
		}
	}
	return pts
}
