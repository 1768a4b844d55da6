package recorder

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

const (
	// noticed is how late an event may become known without losing any pre-roll:
	// until the next look, and some more for a slow store.
	noticed = 2 * time.Second
	// maxEvents is how many events of a camera are looked at; the newest.
	maxEvents = 100
	// stale is more than the age of the oldest frame that a hub has.
	stale = 10 * time.Second
)

// guard keeps the rules of a camera up to date. It asks the store in a goroutine of
// its own: a store whose disk hangs must not hold up those who look at the hubs.
type guard struct {
	camera string // constant
	policy Policy // constant

	current atomic.Pointer[rules]

	failed bool // owned by who calls look: the store did not answer last time
}

func newGuard(camera string, p Policy) *guard {
	g := &guard{camera: camera, policy: p}
	g.current.Store(&rules{schedule: p.Schedule, onEvent: p.OnEvent})
	return g
}

func (g *guard) rules() *rules { return g.current.Load() }

// look asks the store what holds now.
func (g *guard) look(ctx context.Context, store Catalogue, now time.Time) error {
	old := g.rules()
	next := *old
	pause, paused := store.Paused(g.camera)
	switch {
	case paused:
		pause.Camera = g.camera
		next.pause = pause
		// What came before the pause is shown, but only at its first look and by a
		// clock that can be right. A pause is in force because the store says so.
		next.held = old.pause.Camera != "" || recordings.TimeOf(now) < pause.From
	case old.pause.Camera != "":
		next.pause, next.held = recordings.Pause{}, false
		// Somebody ended it since the last look; what came until now is not shown.
		next.lifted = recordings.Range{From: recordings.TimeOf(now).Add(-stale), To: recordings.TimeOf(now)}
		if !old.held {
			next.lifted.From = max(next.lifted.From, old.pause.From)
		}
		if old.pause.To != 0 {
			next.lifted.To = min(next.lifted.To, old.pause.To)
		}
	}
	var err error
	if g.policy.OnEvent {
		next.windows, err = g.windows(ctx, store, now)
		if err != nil {
			next.windows = old.windows
		}
	}
	if next.pause != old.pause || next.held != old.held || next.lifted != old.lifted || !slices.Equal(next.windows, old.windows) {
		g.current.Store(&next)
	}
	return err
}

// windows returns the times around events that may concern frames of now.
func (g *guard) windows(ctx context.Context, store Catalogue, now time.Time) ([]recordings.Range, error) {
	at := recordings.TimeOf(now)
	const slack = time.Minute // for the clocks of sensors
	events, err := store.Events(ctx, g.camera,
		recordings.Range{From: at.Add(-g.policy.PostRoll - slack), To: at.Add(g.policy.PreRoll + slack)}, maxEvents)
	if err != nil {
		return nil, err
	}
	var w []recordings.Range
	for _, e := range events {
		w = append(w, recordings.Range{From: e.From.Add(-g.policy.PreRoll), To: max(e.From, e.To).Add(g.policy.PostRoll)})
	}
	return w, nil
}
