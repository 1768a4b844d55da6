package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/camera/v4l2"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/codecs"
)

// latency measures how old pictures are by the driver's stamps: first when a program
// that does nothing else has them from the driver, then when the source hands them on.
// What the source adds is the difference.
func latency(ctx context.Context, path string, n int, out io.Writer) error {
	bare, err := bareAges(path, n)
	if err != nil {
		return err
	}
	source, err := sourceAges(ctx, path, n)
	if err != nil {
		return err
	}
	for _, s := range []struct {
		name string
		ages []time.Duration
	}{{"driver", bare}, {"source", source}} {
		slices.Sort(s.ages)
		fmt.Fprintf(out, "%s p50 %d p99 %d us of %d\n", s.name,
			s.ages[len(s.ages)/2].Microseconds(), s.ages[len(s.ages)*99/100].Microseconds(), len(s.ages))
	}
	return nil
}

// warmUp is how many pictures are not counted: buffers are new to the caches then.
const warmUp = 10

// bareAges takes pictures from the driver, and does nothing with them.
func bareAges(path string, n int) (ages []time.Duration, err error) {
	d, err := start(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	for seen := 0; len(ages) < n; {
		event, err := d.Wait(patience)
		if err != nil {
			return nil, err
		}
		if event != uapi.Ready {
			return nil, fmt.Errorf("the driver delivers nothing: %v", event)
		}
		f, err := d.Dequeue()
		if errors.Is(err, syscall.EAGAIN) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !f.HasTime {
			return nil, errors.New("the driver's pictures have no time")
		}
		if seen++; seen > warmUp {
			ages = append(ages, d.Monotonic()-f.Time)
		}
		if err := d.Queue(f.Index); err != nil {
			return nil, err
		}
	}
	return ages, nil
}

// sourceAges lets the source take pictures.
func sourceAges(ctx context.Context, path string, n int) ([]time.Duration, error) {
	s, err := v4l2.New(v4l2.Options{Address: path})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience+time.Duration(n)*time.Second)
	defer cancel()
	o := &ages{want: n, enough: cancel}
	if err := s.Run(ctx, o); len(o.ages) < n {
		return nil, fmt.Errorf("%d pictures of %d: %w", len(o.ages), n, err)
	}
	return o.ages, nil
}

// ages takes what a source hands on. It implements camera.Output.
type ages struct {
	want   int
	enough func()
	seen   int
	ages   []time.Duration
}

func (a *ages) SetTracks([]codecs.Track) {}

func (a *ages) Warn(string, string) {}

func (a *ages) WriteUnit(u *codecs.Unit) {
	age := time.Since(u.Wall)
	if a.seen++; a.seen <= warmUp || len(a.ages) >= a.want {
		return
	}
	a.ages = append(a.ages, age)
	if len(a.ages) == a.want {
		a.enough()
	}
}
