package index

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// monthSegments are those of 30 days, 5 minutes each.
const monthSegments = 30 * 24 * 12

func cameraName(n int) string { return fmt.Sprintf("camera-%04d", n) }

// month makes an index of so many cameras with 30 days each, written side by side
// as a recorder does. One of them, the middle one, has 300 fragments a segment; the
// others one, for an index of 26 GB would take an hour to make.
func month(b *testing.B, cameras int) (*Index, recordings.Stream) {
	b.Helper()
	x := openAt(b, filepath.Join(b.TempDir(), "index.db"))
	begun := time.Now()
	one := must(encodeFragments(0, typical(0, 1)))(b)
	all := must(encodeFragments(0, typical(0, 300)))(b)
	middle := cameras/2 + 1
	err := x.update(b.Context(), "fill", relaxed, func(t *update) error {
		for n := range cameras {
			s := segment(recordings.Stream{Camera: cameraName(n), Rendition: recordings.Main}, 0, 0, 0)
			if _, err := t.row(x.names, &s); err != nil {
				return err
			}
		}
		const rows = `WITH RECURSIVE t(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM t WHERE i < ?2 - 1),
			c(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM c WHERE k < ?1) `
		if err := t.exec(`INSERT INTO fragments (key, data) `+rows+`SELECT i * ?1 + k, CASE k WHEN ?3 THEN ?4 ELSE ?5 END FROM t CROSS JOIN c`,
			cameras, monthSegments, middle, all, one); err != nil {
			return err
		}
		if err := t.exec(`INSERT INTO segments (stream, generation, start, length, flags, dir, format, init, bytes, clock, gaps, fragments) `+rows+
			`SELECT k, 0, ?3 + i * 300000000 + k * 1000, 300000000, 0, 1, 1, 900, 75000000 + k, 0, 0, i * ?1 + k FROM t CROSS JOIN c`,
			cameras, monthSegments, int64(noon)); err != nil {
			return err
		}
		return t.exec(`INSERT INTO totals SELECT stream, generation, dir, count(*), sum(bytes) FROM segments GROUP BY stream, generation, dir`)
	})
	ok(b, err)
	ok(b, x.Sync(b.Context()))
	b.Logf("%d cameras: %d rows and %d MB, made in %v", cameras, cameras*monthSegments, must(os.Stat(x.path))(b).Size()>>20, time.Since(begun))
	return x, recordings.Stream{Camera: cameraName(middle - 1), Rendition: recordings.Main}
}

// BenchmarkMonth asks an index of 30 days.
func BenchmarkMonth(b *testing.B) {
	for _, cameras := range []int{100, 1000} {
		b.Run(fmt.Sprint(cameras, "-cameras"), func(b *testing.B) { benchmarkMonth(b, cameras) })
	}
}

func benchmarkMonth(b *testing.B, cameras int) {
	x, stream := month(b, cameras)
	whole := recordings.Range{From: noon, To: noon + monthSegments*300e6 + 1e6}
	instant := func() recordings.Time { return noon + recordings.Time(rand.Int64N(monthSegments*300e6)) }
	other := func() recordings.Stream {
		return recordings.Stream{Camera: cameraName(rand.IntN(cameras)), Rendition: recordings.Main}
	}
	zone := berlin(b)
	for _, c := range []struct {
		name string
		ask  func() (bool, error)
	}{
		{"Timeline/30-days", func() (bool, error) {
			line, err := x.Timeline(b.Context(), other(), whole, time.Minute)
			return len(line.Ranges) == 1, err
		}},
		{"Timeline/1-hour", func() (bool, error) {
			from := instant()
			line, err := x.Timeline(b.Context(), other(), recordings.Range{From: from, To: from + 3600e6}, time.Second)
			return len(line.Ranges) == 1, err
		}},
		{"Days/30-days", func() (bool, error) {
			days, err := x.Days(b.Context(), other().Camera, zone, whole)
			return len(days) == 31, err
		}},
		{"Streams", func() (bool, error) {
			streams, err := x.Streams(b.Context())
			return len(streams) == cameras, err
		}},
		{"NearestKey", func() (bool, error) {
			_, f, err := x.NearestKey(b.Context(), stream, instant())
			return f.Key, err
		}},
		{"Segments/15-minutes-with-fragments", func() (bool, error) {
			from := instant()
			segs, err := x.Segments(b.Context(), stream, recordings.Range{From: from, To: from + 900e6}, SegmentsOptions{Fragments: true})
			return len(segs) > 0, err
		}},
		{"Segments/30-days", func() (bool, error) {
			segs, err := x.Segments(b.Context(), other(), whole, SegmentsOptions{})
			return len(segs) == monthSegments, err
		}},
		{"KeyFrames/1-day-of-500", func() (bool, error) {
			times, err := x.KeyFrames(b.Context(), stream, recordings.Range{From: noon + 86400e6, To: noon + 2*86400e6}, 500)
			return len(times) >= 400, err
		}},
		{"Oldest/100", func() (bool, error) {
			segs, err := x.Oldest(b.Context(), other(), instant()/2, 100)
			return len(segs) == 100, err
		}},
		{"Used", func() (bool, error) {
			used, err := x.Used(b.Context(), "disk-1")
			return used > 0, err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if right, err := c.ask(); !right || err != nil {
					b.Fatalf("a wrong answer: %v", err)
				}
			}
		})
	}
}

// BenchmarkTimelineOfEvents draws 30 days of a camera that is recorded only when
// something happens, 300 times a day.
func BenchmarkTimelineOfEvents(b *testing.B) {
	x := open(b)
	var segs []recordings.Segment
	for i := range 9000 {
		s := segment(front(), 0, float64(i*288), float64(i*288+30))
		s.Fragments, s.Before = nil, recordings.NoEvent
		s.Gaps = []recordings.Gap{{Stream: front(), Range: recordings.Range{From: s.Start - 258e6, To: s.Start}, Cause: recordings.NoEvent}}
		segs = append(segs, s)
	}
	ok(b, x.Put(b.Context(), segs...))
	for b.Loop() {
		line := must(x.Timeline(b.Context(), front(), forever(), time.Second))(b)
		if len(line.Ranges) != 9000 || len(line.Gaps) != 9000 {
			b.Fatalf("%d ranges and %d gaps", len(line.Ranges), len(line.Gaps))
		}
	}
}

// written returns how many bytes this process gave to write and pwrite so far.
func written(b *testing.B) int64 {
	b.Helper()
	for line := range strings.Lines(string(must(os.ReadFile("/proc/self/io"))(b))) {
		if n, found := strings.CutPrefix(line, "wchar: "); found {
			return must(strconv.ParseInt(strings.TrimSpace(n), 10, 64))(b)
		}
	}
	b.Skip("this system does not say what is written")
	return 0
}

// BenchmarkPut puts a finished segment of 300 fragments, as a recorder of 16
// cameras does after it had put the open one.
func BenchmarkPut(b *testing.B) {
	for _, c := range []struct {
		name string
		put  func(b *testing.B, x *Index, s recordings.Segment)
	}{
		{"new", func(b *testing.B, x *Index, s recordings.Segment) { ok(b, x.Put(b.Context(), s)) }},
		{"open-then-finished", func(b *testing.B, x *Index, s recordings.Segment) {
			open := s
			open.Open, open.End, open.Bytes, open.Fragments = true, s.Start, s.InitBytes, nil
			ok(b, x.Put(b.Context(), open))
			ok(b, x.Put(b.Context(), s))
		}},
		{"and-synced", func(b *testing.B, x *Index, s recordings.Segment) {
			ok(b, x.Put(b.Context(), s))
			ok(b, x.Sync(b.Context()))
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			x := openAt(b, filepath.Join(b.TempDir(), "index.db"))
			before, n := written(b), 0
			for ; b.Loop(); n++ {
				s := segment(recordings.Stream{Camera: cameraName(n % 16), Rendition: recordings.Main}, 0, float64(n/16*300), float64(n/16*300+300))
				c.put(b, x, s)
			}
			b.ReportMetric(float64(written(b)-before)/float64(n), "B-written/op")
		})
	}
}

// BenchmarkWritten records an hour of 16 cameras of 2 Mbit/s that begin their
// segments at different times, and puts what grows every so often.
func BenchmarkWritten(b *testing.B) {
	const cameras, seconds, length = 16, 3600, 300
	for _, every := range []int{0, 1, 5, 10, 30, 60} {
		name := fmt.Sprintf("every-%d-s", every)
		if every == 0 {
			name = "at-its-beginning-and-end"
		}
		b.Run(name, func(b *testing.B) {
			x := openAt(b, filepath.Join(b.TempDir(), "index.db"))
			before, hours := written(b), 0
			for ; b.Loop(); hours++ {
				for now := hours * seconds; now < (hours+1)*seconds; now++ {
					var growing []recordings.Segment
					for n := range cameras {
						stream := recordings.Stream{Camera: cameraName(n), Rendition: recordings.Main}
						age := (now + n*length/cameras) % length
						start := float64(now - age)
						switch {
						case age == 0:
							ok(b, x.Put(b.Context(), segment(stream, 0, start-length, start)))
							next := segment(stream, 0, start, start)
							next.Open = true
							ok(b, x.Put(b.Context(), next))
						case every > 0 && now%every == 0:
							s := segment(stream, 0, start, float64(now))
							s.Open = true
							growing = append(growing, s)
						}
					}
					ok(b, x.Put(b.Context(), growing...))
				}
			}
			each := float64(written(b)-before) / float64(hours*cameras*seconds)
			b.ReportMetric(each, "B-written/camera-s")
			b.ReportMetric(100*each/250_000, "%-of-2-Mbit/s")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(hours*cameras*seconds), "µs/camera-s")
		})
	}
}

// BenchmarkFragments is what decoding costs.
func BenchmarkFragments(b *testing.B) {
	fragments := typical(noon, 300)
	data := must(encodeFragments(noon, fragments))(b)
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			must(encodeFragments(noon, fragments))(b)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			must(decodeFragments(noon, data))(b)
		}
		b.ReportMetric(float64(len(data))/300, "B/fragment")
	})
}
