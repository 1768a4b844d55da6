package index

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// noon is when the tests' recordings begin.
const noon = recordings.Time(1_763_726_400_000_000) // 2025-11-21T12:00:00Z

func front() recordings.Stream {
	return recordings.Stream{Camera: "front", Rendition: recordings.Main}
}

func second(n float64) recordings.Time { return recordings.Time(n * 1e6) }

func at(n float64) recordings.Time { return noon + second(n) }

func open(t testing.TB) *Index {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "index.db"))
}

func openAt(t testing.TB, path string) *Index {
	t.Helper()
	x, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must returns v, or fails the test.
func must[V any](v V, err error) func(t testing.TB) V {
	return func(t testing.TB) V {
		t.Helper()
		ok(t, err)
		return v
	}
}

// segment is of the stream, from a to b seconds after noon, with a fragment of a
// key frame each second.
func segment(stream recordings.Stream, generation int, a, b float64) recordings.Segment {
	s := recordings.Segment{
		Ref: recordings.Ref{Stream: stream, Generation: generation, Start: at(a)},
		End: at(b), Dir: "disk-1", InitBytes: 900, Origin: recordings.Live,
		Format: recordings.Format{Video: "avc1.42e01f", Width: 1280, Height: 720, Audio: "opus", SampleRate: 48000, Channels: 1},
	}
	s.Path = usualPath(s.Ref)
	s.Bytes = s.InitBytes
	for start := s.Start; start < s.End; start += second(1) {
		f := recordings.Fragment{
			Start: start, Duration: min(start+second(1), s.End).Sub(start), MediaStart: int64(start-s.Start) * 9 / 100,
			Offset: s.Bytes, Bytes: 250_000 + int64(start/1000%977), VideoBytes: 240_000, Key: true, Frames: 25,
		}
		s.Fragments = append(s.Fragments, f)
		s.Bytes += f.Bytes
	}
	return s
}

func secondsOf(r recordings.Range) [2]float64 {
	return [2]float64{float64(r.From-noon) / 1e6, float64(r.To-noon) / 1e6}
}

func allOf(segs []recordings.Segment) (all [][2]float64) {
	for _, s := range segs {
		all = append(all, secondsOf(s.Range()))
	}
	return all
}

func dump(t testing.TB, x *Index) string {
	t.Helper()
	var b strings.Builder
	ok(t, x.Dump(t.Context(), &b))
	return b.String()
}

func clean(t testing.TB, x *Index) {
	t.Helper()
	if problems := must(x.Check(t.Context()))(t); len(problems) > 0 {
		t.Fatalf("Check:\n%s", strings.Join(problems, "\n"))
	}
}

func forever() recordings.Range { return recordings.Range{From: 0, To: maxTime} }

func berlin(t testing.TB) *time.Location {
	t.Helper()
	return must(time.LoadLocation("Europe/Berlin"))(t)
}
