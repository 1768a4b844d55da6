package fmp4_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// second is one second of a camera of 2 Mbit/s, with sound if asked for.
func second(tb testing.TB, sound bool) (m *fmp4.Muxer, video, audio []*codecs.Unit) {
	tb.Helper()
	v := fmp4test.Pictures(tb, testpattern.Options{Bitrate: 2_000_000, GOP: time.Second}, 25, noon())
	var track *codecs.Track
	if sound {
		track = &codecs.Track{Codec: codecs.PCMU, ClockRate: 8000, Channels: 1}
		for i := range int64(50) {
			audio = append(audio, &codecs.Unit{Track: 1, PTS: i * 160, At: v.Units[0].At + i*20_000, Key: true, Payload: [][]byte{make([]byte, 160)}})
		}
	}
	m, err := fmp4.NewMuxer(header(), v.Track, track)
	if err != nil {
		tb.Fatal(err)
	}
	return m, v.Units, audio
}

// later moves units on by a second.
func later(list ...[]*codecs.Unit) {
	for i, units := range list {
		for _, u := range units {
			u.At += 1_000_000
			if i == 0 {
				u.PTS += 90_000
			} else {
				u.PTS += 8000
			}
		}
	}
}

func TestMuxer_WritingAllocatesNothing(t *testing.T) {
	m, video, audio := second(t, true)
	var buffer []byte
	var media, written int
	n := testing.AllocsPerRun(20, func() {
		var err error
		end := recordings.Time(video[0].At + 1_000_000)
		if buffer, _, err = m.AppendFragment(buffer[:0], video, audio, end); err != nil {
			t.Fatal(err)
		}
		later(video, audio)
	})
	if n > 0 {
		t.Errorf("%v allocations a fragment", n)
	}
	for _, list := range [][]*codecs.Unit{video, audio} {
		for _, u := range list {
			media += u.Size()
		}
	}
	written = len(buffer)
	if float64(written) > 1.01*float64(media) {
		t.Errorf("%d bytes written for %d of media", written, media)
	}
}

func BenchmarkAppendFragment(b *testing.B) {
	for name, sound := range map[string]bool{"video": false, "video and sound": true} {
		b.Run(name, func(b *testing.B) {
			m, video, audio := second(b, sound)
			var buffer []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if buffer, _, err = m.AppendFragment(buffer[:0], video, audio, recordings.Time(video[0].At+1_000_000)); err != nil {
					b.Fatal(err)
				}
				later(video, audio)
			}
			b.SetBytes(int64(len(buffer)))
			b.ReportMetric(float64(len(buffer)-size(video)-size(audio)), "overhead-bytes")
		})
	}
}

func size(units []*codecs.Unit) (n int) {
	for _, u := range units {
		n += u.Size()
	}
	return n
}

// fiveMinutes is a whole segment.
func fiveMinutes(b *testing.B) []byte {
	b.Helper()
	m, video, audio := second(b, true)
	data := bytes.Clone(m.Init())
	for range 300 {
		var err error
		if data, _, err = m.AppendFragment(data, video, audio, recordings.Time(video[0].At+1_000_000)); err != nil {
			b.Fatal(err)
		}
		later(video, audio)
	}
	return data
}

func BenchmarkScan(b *testing.B) {
	data := fiveMinutes(b)
	for name, verify := range map[string]bool{"checks": false, "verify": true} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				f := open(b, data)
				if _, err := f.Scan(0, verify, func(recordings.Fragment) bool { return true }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
