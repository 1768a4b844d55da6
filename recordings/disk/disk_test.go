package disk_test

import (
	"context"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/index"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// epoch is when the pictures of the tests were taken.
func epoch() recordings.Time {
	return recordings.TimeOf(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
}

// piece is a fragment as a recorder hands it over.
type piece struct {
	frag recordings.Fragment
	data []byte
}

// reel is the material of one segment.
type reel struct {
	seg    recordings.Segment
	init   []byte
	pieces []piece
}

// picture is a GOP of the test picture, 5 frames a second.
func picture(tb testing.TB, gops int) (codecs.Track, [][]*codecs.Unit) {
	tb.Helper()
	const fps = 5
	enc, err := testpattern.New(testpattern.Options{Width: 640, Height: 360, FPS: fps, GOP: time.Second})
	if err != nil {
		tb.Fatal(err)
	}
	sps, pps := enc.ParameterSets()
	out := make([][]*codecs.Unit, gops)
	for i := range gops * fps {
		at := epoch().Add(time.Duration(i) * time.Second / fps)
		out[i/fps] = append(out[i/fps], &codecs.Unit{
			PTS: int64(i) * 90000 / fps, At: int64(at), Key: i%fps == 0, Payload: enc.Encode(at.Std()),
		})
	}
	return codecs.Track{Codec: codecs.H264, ClockRate: 90000, SPS: sps, PPS: pps}, out
}

// film makes segments of a stream out of GOPs, so many in each.
func film(tb testing.TB, stream recordings.Stream, perSegment, segments int) []reel {
	tb.Helper()
	return filmAt(tb, stream, perSegment, segments, 0)
}

// filmAt is film that begins later.
func filmAt(tb testing.TB, stream recordings.Stream, perSegment, segments int, later recordings.Time) []reel {
	tb.Helper()
	track, gops := picture(tb, perSegment*segments)
	for _, gop := range gops {
		for _, u := range gop {
			u.At += int64(later)
		}
	}
	var out []reel
	for i := range segments {
		mine := gops[i*perSegment : (i+1)*perSegment]
		ref := recordings.Ref{Stream: stream, Start: recordings.Time(mine[0][0].At)}
		m, err := fmp4.NewMuxer(fmp4.Header{Ref: ref, Origin: recordings.Live}, track, nil)
		if err != nil {
			tb.Fatal(err)
		}
		r := reel{seg: recordings.Segment{Ref: ref, Origin: recordings.Live, Format: m.Format()}, init: m.Init()}
		for _, gop := range mine {
			data, frag, err := m.AppendFragment(nil, gop, nil, 0)
			if err != nil {
				tb.Fatal(err)
			}
			r.pieces = append(r.pieces, piece{frag, data})
		}
		out = append(out, r)
	}
	return out
}

// promises are what a store called durable.
type promises struct {
	mu    sync.Mutex
	until map[recordings.Stream]recordings.Time
}

func (p *promises) note(s recordings.Stream, until recordings.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = make(map[recordings.Stream]recordings.Time)
	}
	p.until[s] = until
}

func (p *promises) of(s recordings.Stream) recordings.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until[s]
}

func openIndex(tb testing.TB, path string) *index.Index {
	tb.Helper()
	ix, err := index.Open(tb.Context(), path, index.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = ix.Close() })
	return ix
}

// openStore opens a store over the system's files in a folder of the test.
func openStore(tb testing.TB, o disk.Options) (*disk.Store, disk.Options) {
	tb.Helper()
	if o.Dirs == nil {
		o.Dirs = []string{filepath.Join(tb.TempDir(), "recordings")}
	}
	if o.Index == nil {
		o.Index = openIndex(tb, filepath.Join(tb.TempDir(), "index.db"))
	}
	s, err := disk.Open(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return s, o
}

func closeStore(tb testing.TB, s *disk.Store) {
	tb.Helper()
	if err := s.Close(context.WithoutCancel(tb.Context())); err != nil {
		tb.Fatal(err)
	}
}

// write writes a reel as one segment.
func write(tb testing.TB, s *disk.Store, r reel) recordings.Writer {
	tb.Helper()
	w, err := s.Create(tb.Context(), r.seg, r.init)
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range r.pieces {
		if err := w.Append(p.frag, p.data); err != nil {
			tb.Fatal(err)
		}
	}
	return w
}

// findings checks everything and returns what is wrong.
func findings(tb testing.TB, o disk.Options) (out []disk.Finding) {
	tb.Helper()
	err := disk.Check(tb.Context(), disk.CheckOptions{Dirs: o.Dirs, Index: o.Index, FS: o.FS}, func(f disk.Finding) { out = append(out, f) })
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// content reads a segment's file.
func content(tb testing.TB, s *disk.Store, ref recordings.Ref) []byte {
	tb.Helper()
	m, err := s.Open(tb.Context(), ref)
	if err != nil {
		tb.Fatal(err)
	}
	defer m.Close()
	data, err := io.ReadAll(io.NewSectionReader(m, 0, m.Size()))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
