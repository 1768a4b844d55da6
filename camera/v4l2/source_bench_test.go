package v4l2

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// arrivals says when units are handed on.
type arrivals struct {
	discard
	at chan time.Time
}

func (a arrivals) WriteUnit(*codecs.Unit) { a.at <- time.Now() }

// BenchmarkSource is a picture's way from the driver, which is in Go, to the hub, with
// all that waits and wakes in between: 720p, 4 Mbit/s at 30 pictures a second.
func BenchmarkSource(b *testing.B) {
	k := fakev4l2.New()
	d := coder()
	d.Formats[0].Sizes = []fakev4l2.Size{fakev4l2.Discrete(1280, 720, 30)}
	n := k.Add("/dev/video0", d)
	s, err := New(Options{Address: "/dev/video0", Kernel: k})
	if err != nil {
		b.Fatal(err)
	}
	e, err := testpattern.New(testpattern.Options{Width: 1280, Height: 720, FPS: 30, Bitrate: 4_000_000})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	out := arrivals{at: make(chan time.Time, 1)}
	go func() { done <- s.Run(ctx, out) }()
	if err := n.WaitStreaming(ctx); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		b.StopTimer()
		buffer := stream(e.Encode(time.Now())...)
		if err := n.WaitQueued(ctx, 1); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		began := time.Now()
		if !n.Deliver(buffer) {
			b.Fatal("there was no room for the picture")
		}
		took = append(took, (<-out.at).Sub(began))
	}
	cancel()
	<-done
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
