package rtsp_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera/rtsp"
	"github.com/sightline-cam/sightline/codecs"
)

// collector keeps what a source hands on.
type collector struct {
	mu      sync.Mutex
	inside  bool
	overlap bool // two calls at a time
	tracks  [][]codecs.Track
	before  []int // for each of tracks, how many units came before it
	units   []*codecs.Unit
	warned  map[string]string
	enough  func(*collector) bool
	done    func()
}

func (c *collector) call(f func()) {
	c.mu.Lock()
	c.overlap = c.overlap || c.inside
	c.inside = true
	f()
	if c.enough != nil && c.enough(c) {
		c.done()
	}
	c.inside = false
	c.mu.Unlock()
}

func (c *collector) SetTracks(t []codecs.Track) {
	c.call(func() { c.tracks, c.before = append(c.tracks, t), append(c.before, len(c.units)) })
}
func (c *collector) WriteUnit(u *codecs.Unit) { c.call(func() { c.units = append(c.units, u) }) }
func (c *collector) Warn(kind, text string) {
	c.call(func() {
		if c.warned == nil {
			c.warned = make(map[string]string)
		}
		c.warned[kind] = text
	})
}

// of returns the units of a track.
func (c *collector) of(track int) (units []*codecs.Unit) {
	for _, u := range c.units {
		if u.Track == track {
			units = append(units, u)
		}
	}
	return units
}

// keys returns the number of key units of a track.
func (c *collector) keys(track int) (n int) {
	for _, u := range c.of(track) {
		if u.Key {
			n++
		}
	}
	return n
}

// log is a logger's output that tests may read while it is written.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *log) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// patience is how long a test waits for what has to come. It is also what a source
// waits for its camera where the test is not about that: a machine that has other
// things to do for some seconds is no camera that fails.
const patience = 2 * time.Minute

// watch runs the source until enough is true, and fails the test when that
// takes longer than a deadline.
func watch(t *testing.T, o rtsp.Options, enough func(*collector) bool) (*collector, *rtsp.Source) {
	t.Helper()
	src := newSource(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := &collector{enough: enough, done: cancel}
	err := src.Run(ctx, c)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Run: %v; %d units, %d calls of SetTracks", err, len(c.units), len(c.tracks))
	}
	if c.overlap {
		t.Error("the output was called by two goroutines at a time")
	}
	return c, src
}

// fail runs the source and returns the error it ends with.
func fail(t *testing.T, o rtsp.Options) *rtsp.Error {
	t.Helper()
	src := newSource(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := src.Run(ctx, &collector{})
	e, ok := errors.AsType[*rtsp.Error](err)
	if !ok {
		t.Fatalf("Run returned %T: %v, want *rtsp.Error", err, err)
	}
	return e
}

// newSource returns a source. What the options do not limit takes as long as it takes.
func newSource(t *testing.T, o rtsp.Options) *rtsp.Source {
	t.Helper()
	for _, d := range []*time.Duration{&o.SetupTimeout, &o.SilenceTimeout, &o.ReadTimeout} {
		if *d == 0 {
			*d = patience
		}
	}
	src, err := rtsp.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return src
}
