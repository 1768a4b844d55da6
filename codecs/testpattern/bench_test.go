package testpattern_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// BenchmarkEncode measures a frame on average over GOPs of 2 s.
func BenchmarkEncode(b *testing.B) {
	for name, o := range map[string]testpattern.Options{
		"720p":         {},
		"720p-2Mbit":   {Bitrate: 2_000_000},
		"360p-400kbit": {Width: 640, Height: 360, Bitrate: 400_000},
	} {
		b.Run(name, func(b *testing.B) {
			e := newEncoder(b, o)
			b.ReportAllocs()
			frame, bytes := 0, 0
			for b.Loop() {
				for _, n := range e.Encode(start().Add(time.Duration(frame) * 40 * time.Millisecond)) {
					bytes += len(n)
				}
				frame++
			}
			b.ReportMetric(float64(bytes)/float64(frame), "bytes/frame")
		})
	}
}

// BenchmarkKeyFrame measures key frames alone.
func BenchmarkKeyFrame(b *testing.B) {
	e := newEncoder(b, testpattern.Options{})
	b.ReportAllocs()
	for b.Loop() {
		e.ForceKey()
		e.Encode(start())
	}
}

// BenchmarkNew measures what it takes to make an encoder, and reports the
// memory that one holds after some frames.
func BenchmarkNew(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	e := newEncoder(b, testpattern.Options{Bitrate: 2_000_000})
	for range 10 {
		e.Encode(start())
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(e)
	for b.Loop() {
		newEncoder(b, testpattern.Options{})
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB/encoder")
}
