package playback

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// constantLibrary answers at once, so that what is measured is the API.
type constantLibrary struct {
	Library
	timeline recordings.Timeline
	segments []recordings.Segment
}

func (l *constantLibrary) Streams(context.Context) ([]recordings.StreamInfo, error) { return nil, nil }
func (l *constantLibrary) Timeline(context.Context, recordings.Stream, recordings.Range, time.Duration) (recordings.Timeline, error) {
	return l.timeline, nil
}
func (l *constantLibrary) Events(context.Context, string, recordings.Range, int) ([]recordings.Event, error) {
	return nil, nil
}
func (l *constantLibrary) Locks(context.Context, string, recordings.Range) ([]recordings.Lock, error) {
	return nil, nil
}
func (l *constantLibrary) Pauses(context.Context, string, recordings.Range) ([]recordings.Pause, error) {
	return nil, nil
}
func (l *constantLibrary) Segments(context.Context, recordings.Stream, recordings.Range, bool, int) ([]recordings.Segment, error) {
	return l.segments, nil
}

// benchmark asks for a path again and again.
func benchmark(b *testing.B, l *constantLibrary, path string) {
	b.Helper()
	d := newDesk(b, func(o *Options) { o.Library = l })
	r := d.as("playback", "GET", path, "")
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("%d %s", w.Code, w.Body)
	}
	b.SetBytes(int64(w.Body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		w.Body.Reset()
		d.mux.ServeHTTP(w, r)
	}
}

// BenchmarkTimeline is of 30 days with 2,000 ranges and as many gaps.
func BenchmarkTimeline(b *testing.B) {
	l := &constantLibrary{}
	for i := range 2000 {
		at := noon.Add(time.Duration(i) * 20 * time.Minute)
		l.timeline.Ranges = append(l.timeline.Ranges, recordings.Range{From: at, To: at.Add(15 * time.Minute)})
		l.timeline.Gaps = append(l.timeline.Gaps, recordings.Gap{Range: recordings.Range{From: at.Add(15 * time.Minute), To: at.Add(20 * time.Minute)}, Cause: recordings.CameraOffline})
	}
	benchmark(b, l, fmt.Sprintf("/v1/recordings/front/timeline?from=%d&to=%d", millis(noon), millis(noon.Add(30*24*time.Hour))))
}

// BenchmarkSegments is of 15 minutes with a fragment each second.
func BenchmarkSegments(b *testing.B) {
	l := &constantLibrary{}
	for i := range 3 {
		s := recordings.Segment{Ref: front(noon.Add(time.Duration(i) * 5 * time.Minute)), InitBytes: 1200}
		for j := range 300 {
			s.Fragments = append(s.Fragments, recordings.Fragment{
				Start: s.Start.Add(time.Duration(j) * time.Second), Duration: time.Second, MediaStart: int64(j) * 90_000, Offset: int64(j) * 250_000, Bytes: 250_000, VideoBytes: 240_000, Key: j%2 == 0,
			})
		}
		l.segments = append(l.segments, s)
	}
	benchmark(b, l, fmt.Sprintf("/v1/recordings/front/segments?from=%d&to=%d", millis(noon), millis(noon.Add(15*time.Minute))))
}

// BenchmarkDownload is of a file of 40 MB over loopback, by the writer that moves
// deadlines and asks for rights.
func BenchmarkDownload(b *testing.B) {
	d := newDesk(b, nil)
	path := largeFile(b, d)
	s := d.server(b, "playback")
	b.SetBytes(large)
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.URL+path, nil)
		if err != nil {
			b.Fatal(err)
		}
		resp, err := s.Client().Do(r)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err != nil || n < large {
			b.Fatal(n, err)
		}
	}
}
