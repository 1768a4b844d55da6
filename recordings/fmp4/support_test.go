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

// noon is when most segments of the tests begin.
func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 123_457_000, time.UTC) }

// header is that of most segments of the tests.
func header() fmp4.Header {
	return fmp4.Header{
		Ref: recordings.Ref{
			Stream: recordings.Stream{Camera: "front", Rendition: recordings.Main},
			Start:  recordings.TimeOf(noon()),
		},
		Origin:     recordings.Live,
		CameraName: "Haustür",
		Writer:     "sightline test",
	}
}

// none is no sound.
func none() fmp4test.Media { return fmp4test.Media{} }

// small is a test picture of n frames with a key frame every half second.
func small(tb testing.TB, n int) fmp4test.Media {
	tb.Helper()
	return fmp4test.Pictures(tb, testpattern.Options{Width: 640, Height: 360, GOP: time.Second / 2}, n, noon())
}

// open opens a segment in memory.
func open(tb testing.TB, data []byte) *fmp4.File {
	tb.Helper()
	f, err := fmp4.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// scan returns all fragments of a segment, which has to be whole.
func scan(tb testing.TB, data []byte) []recordings.Fragment {
	tb.Helper()
	var all []recordings.Fragment
	good, err := open(tb, data).Scan(0, true, func(f recordings.Fragment) bool {
		all = append(all, f)
		return true
	})
	if err != nil || good != int64(len(data)) {
		tb.Fatalf("scanned to %d of %d: %v", good, len(data), err)
	}
	return all
}

// readBack returns the units of all fragments.
func readBack(tb testing.TB, data []byte) (video, audio []*codecs.Unit) {
	tb.Helper()
	f := open(tb, data)
	for _, fragment := range scan(tb, data) {
		v, a, err := f.Units(data[fragment.Offset:][:fragment.Bytes])
		if err != nil {
			tb.Fatal(err)
		}
		video, audio = append(video, v...), append(audio, a...)
	}
	return video, audio
}
