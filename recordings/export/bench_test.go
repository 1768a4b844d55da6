package export_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/export"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// disk is an hour of a camera of 2 Mbit/s with sound, in segments of five minutes.
type disk struct {
	dir      string
	segments []recordings.Segment
}

func (d *disk) name(ref recordings.Ref) string {
	return filepath.Join(d.dir, ref.Start.Std().Format("150405")+".mp4")
}

// file is a segment on a disk.
type file struct {
	*os.File
	size int64
}

func (f file) Size() int64 { return f.size }

func (d *disk) open(_ context.Context, ref recordings.Ref) (export.Media, error) {
	f, err := os.Open(d.name(ref))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	return file{f, info.Size()}, err
}

// hour writes the segments.
func hour(b *testing.B) *disk {
	b.Helper()
	d := &disk{dir: b.TempDir()}
	video := fmp4test.Pictures(b, testpattern.Options{Bitrate: 2_000_000, GOP: time.Second}, 25, noon())
	track := codecs.Track{Codec: codecs.PCMU, ClockRate: 8000, Channels: 1}
	sound := make([]*codecs.Unit, 50)
	for i := range sound {
		sound[i] = &codecs.Unit{Track: 1, PTS: int64(i) * 160, At: noon().UnixMicro() + int64(i)*20_000, Key: true, Payload: [][]byte{make([]byte, 160)}}
	}
	for i := range 12 {
		h := fmp4.Header{Ref: recordings.Ref{Stream: recordings.Stream{Camera: "c", Rendition: recordings.Main}, Start: at(time.Duration(i) * 5 * time.Minute)}}
		m, err := fmp4.NewMuxer(h, video.Track, &track)
		if err != nil {
			b.Fatal(err)
		}
		s := recordings.Segment{Ref: h.Ref, InitBytes: int64(len(m.Init())), Format: m.Format()}
		data := append([]byte(nil), m.Init()...)
		for range 300 {
			var f recordings.Fragment
			offset := int64(len(data))
			if data, f, err = m.AppendFragment(data, video.Units, sound, recordings.Time(video.Units[0].At+1_000_000)); err != nil {
				b.Fatal(err)
			}
			f.Offset = offset
			s.Fragments = append(s.Fragments, f)
			for _, u := range video.Units {
				u.At, u.PTS = u.At+1_000_000, u.PTS+90_000
			}
			for _, u := range sound {
				u.At, u.PTS = u.At+1_000_000, u.PTS+8000
			}
		}
		if err := os.WriteFile(d.name(h.Ref), data, 0o600); err != nil {
			b.Fatal(err)
		}
		s.Bytes, s.End = int64(len(data)), s.Fragments[299].End()
		d.segments = append(d.segments, s)
	}
	return d
}

func BenchmarkExport(b *testing.B) {
	d := hour(b)
	all := recordings.Range{From: at(0), To: at(time.Hour)}
	b.Run("lay out", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := export.New(b.Context(), d.open, d.segments, all, export.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e, err := export.New(b.Context(), d.open, d.segments, all, export.Options{})
			if err != nil {
				b.Fatal(err)
			}
			n, err := io.Copy(io.Discard, e)
			if err != nil || n != e.Size() {
				b.Fatal(n, err)
			}
			b.SetBytes(n)
			if err := e.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("download", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			e, err := export.New(r.Context(), d.open, d.segments, all, export.Options{})
			if err != nil {
				b.Error(err)
				return
			}
			defer e.Close()
			w.Header().Set("Content-Type", "video/mp4")
			http.ServeContent(w, r, "", time.Time{}, e)
		}))
		defer server.Close()
		for b.Loop() {
			response, err := server.Client().Get(server.URL)
			if err != nil {
				b.Fatal(err)
			}
			n, err := io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(n)
		}
	})
}
