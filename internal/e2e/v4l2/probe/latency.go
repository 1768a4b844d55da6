package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/camera/v4l2"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/codecs"
)

// latency measures what the source adds to what the driver takes: the time from when
// the kernel says that there is a picture to when the source hands it on.
func latency(ctx context.Context, path string, n int, out io.Writer) error {
	k := &timed{Kernel: uapi.Linux()}
	s, err := v4l2.New(v4l2.Options{Address: path, Kernel: k})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience+time.Duration(n)*time.Second)
	defer cancel()
	o := &times{kernel: k, want: n, enough: cancel}
	if err := s.Run(ctx, o); len(o.times) < n {
		return fmt.Errorf("%d pictures of %d: %w", len(o.times), n, err)
	}
	slices.Sort(o.times)
	fmt.Fprintf(out, "p50 %d p99 %d us of %d\n", o.times[n/2].Microseconds(), o.times[n*99/100].Microseconds(), n)
	return nil
}

// timed is a kernel of which it is known when it said that there is a picture. Only one
// goroutine waits for pictures, which hands them on too.
type timed struct {
	uapi.Kernel
	said time.Time
}

// NewWaiter implements uapi.Kernel.
func (k *timed) NewWaiter(fd int) (uapi.Waiter, error) {
	w, err := k.Kernel.NewWaiter(fd)
	return &timedWaiter{w, k}, err
}

type timedWaiter struct {
	uapi.Waiter
	kernel *timed
}

// Wait implements uapi.Waiter.
func (w *timedWaiter) Wait(timeout time.Duration) (uapi.Event, error) {
	event, err := w.Waiter.Wait(timeout)
	w.kernel.said = time.Now()
	return event, err
}

// warmUp is how many pictures are not counted: what is done for the first time takes
// longer.
const warmUp = 10

// times takes what a source hands on. It implements camera.Output.
type times struct {
	kernel *timed
	want   int
	enough func()
	seen   int
	times  []time.Duration
}

func (o *times) SetTracks([]codecs.Track) {}

func (o *times) Warn(string, string) {}

func (o *times) WriteUnit(*codecs.Unit) {
	took := time.Since(o.kernel.said)
	if o.seen++; o.seen <= warmUp || len(o.times) >= o.want {
		return
	}
	o.times = append(o.times, took)
	if len(o.times) == o.want {
		o.enough()
	}
}
