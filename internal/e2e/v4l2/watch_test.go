//go:build linux

package v4l2

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/viewer"
)

// picture is a coded picture, as it came to the viewer.
type picture struct {
	*codecs.Unit
	codec codecs.Codec
	came  time.Time
}

// watching is what comes by a session, from the first key frame on.
type watching struct {
	t *testing.T

	mu       sync.Mutex
	pictures map[string][]picture // by camera; guarded by mu
	more     chan struct{}        // closed and replaced with every picture; guarded by mu
	err      error                // of the end; guarded by mu
}

// watch keeps what comes until the test ends.
func watch(t *testing.T, s *viewer.Session) *watching {
	t.Helper()
	w := &watching{t: t, pictures: map[string][]picture{}, more: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background()) // it ends in the cleanup
	done := make(chan struct{})
	go func() {
		defer close(done)
		for w.read(ctx, s) {
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

func (w *watching) read(ctx context.Context, s *viewer.Session) bool {
	f, err := s.ReadFrame(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() {
		close(w.more)
		w.more = make(chan struct{})
	}()
	if err != nil {
		w.err = err
		return false
	}
	if list := w.pictures[f.Camera]; f.Unit.Key || len(list) > 0 {
		w.pictures[f.Camera] = append(list, picture{f.Unit, f.Codec, time.Now()})
	}
	return true
}

// await waits until there are n pictures of a camera, and returns all of them.
func (w *watching) await(camera string, n int) []picture {
	w.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		w.mu.Lock()
		list, more, err := w.pictures[camera], w.more, w.err
		w.mu.Unlock()
		if len(list) >= n {
			return list[:len(list):len(list)]
		}
		if err != nil {
			w.t.Fatalf("the session has ended after %d pictures: %v", len(list), err)
		}
		select {
		case <-more:
		case <-timer.C:
			w.t.Fatalf("%d pictures in %v, not %d", len(list), patience, n)
		}
	}
}

// next waits for n more pictures that begin with a key frame.
func (w *watching) next(camera string, n int) []picture {
	w.t.Helper()
	w.mu.Lock()
	from := len(w.pictures[camera])
	w.mu.Unlock()
	return w.since(camera, from, n)
}

// since waits for n pictures from a number on that begin with a key frame.
func (w *watching) since(camera string, from, n int) []picture {
	w.t.Helper()
	for {
		list := w.await(camera, from+1)
		for i := from; i < len(list); i++ {
			if list[i].Key {
				return w.await(camera, i+n)[i : i+n]
			}
		}
		from = len(list)
	}
}

// groups waits until there are n groups of pictures from a number on, each complete:
// from a key frame to the one before the next.
func (w *watching) groups(camera string, from, n int) []picture {
	w.t.Helper()
	first, keys := from, 0
	for i := from; ; i++ {
		list := w.await(camera, i+1)
		if list[i].Key {
			if keys++; keys == 1 {
				first = i
			}
		}
		if keys > n {
			return list[first:i]
		}
	}
}

// count returns how many pictures have come.
func (w *watching) count(camera string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pictures[camera])
}

// rate returns how many pictures a second there are, by the usual distance of their
// time stamps: one that was left out does not count.
func rate(pictures []picture) float64 {
	var steps []int64
	for i := 1; i < len(pictures); i++ {
		steps = append(steps, pictures[i].PTS-pictures[i-1].PTS)
	}
	slices.Sort(steps)
	middle := steps[len(steps)/4 : len(steps)-len(steps)/4]
	sum := int64(0)
	for _, s := range middle {
		sum += s
	}
	return 90000 * float64(len(middle)) / float64(sum)
}

// atRate waits until n pictures in a row come at a rate, and returns it and all pictures
// until then. An emulated machine on a busy computer may need some time to get there: it
// leaves pictures out until it encodes fast enough.
func (w *watching) atRate(camera string, n int, want float64) (got float64, all []picture) {
	w.t.Helper()
	const windows = 30
	for i := 1; i <= windows; i++ {
		all = w.await(camera, i*n)
		got = rate(all[(i-1)*n : i*n])
		if got > 0.85*want && got < 1.15*want {
			return got, all
		}
	}
	w.t.Errorf("%.2f pictures a second, not %.2f", got, want)
	return got, all
}
