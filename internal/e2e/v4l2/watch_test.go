//go:build linux

package v4l2

import (
	"context"
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
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // it ends in the cleanup
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

// count returns how many pictures have come.
func (w *watching) count(camera string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pictures[camera])
}

// rate returns how many pictures a second there are, by their time stamps.
func rate(pictures []picture) float64 {
	n := len(pictures) - 1
	return float64(n) * 90000 / float64(pictures[n].PTS-pictures[0].PTS)
}

// span returns in how much time pictures came.
func span(pictures []picture) time.Duration {
	return pictures[len(pictures)-1].came.Sub(pictures[0].came)
}

// wants checks the rate of pictures, by their time stamps and by when they came. An
// emulated machine on a busy computer may be late, but not by much all the time.
func wants(t *testing.T, pictures []picture, want float64) float64 {
	t.Helper()
	got, came := rate(pictures), float64(len(pictures)-1)/span(pictures).Seconds()
	if got < 0.9*want || got > 1.1*want {
		t.Errorf("%.2f pictures a second by their time stamps, not %.2f", got, want)
	}
	if came < 0.7*want || came > 1.3*want {
		t.Errorf("%.2f pictures a second came, not %.2f", came, want)
	}
	return got
}
