package remote

import (
	"context"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

// gate decides what is recorded. Constant.
type gate struct {
	policy recorder.Policy
	store  Store
	camera string // its id here
}

// Defaults of recorder.Policy.
const (
	defaultPreRoll  = 5 * time.Second
	defaultPostRoll = 30 * time.Second
	// maxEvents is how many events are looked at for one decision.
	maxEvents = 10_000
)

// verdicts are what the store says of a range of time. Constant.
type verdicts struct {
	gate   *gate
	paused []recordings.Range
	events []recordings.Range // with what is recorded around them
	all    bool               // it is not known which events there were
}

// ask returns what holds in a range.
func (g *gate) ask(ctx context.Context, r recordings.Range) verdicts {
	v := verdicts{gate: g}
	pauses, err := g.store.Pauses(ctx, g.camera, r)
	if err != nil { // what somebody may want not to be recorded is not
		v.paused = []recordings.Range{r}
	}
	for _, p := range pauses {
		if p.To == 0 {
			p.To = max(r.To, p.From) + 1
		}
		v.paused = append(v.paused, p.Range)
	}
	if !g.policy.OnEvent {
		return v
	}
	pre, post := g.policy.PreRoll, g.policy.PostRoll
	if pre == 0 {
		pre = defaultPreRoll
	}
	if post == 0 {
		post = defaultPostRoll
	}
	events, err := g.store.Events(ctx, g.camera, recordings.Range{From: r.From.Add(-post), To: r.To.Add(pre)}, maxEvents)
	v.all = err != nil || len(events) == maxEvents
	for _, e := range events {
		v.events = append(v.events, recordings.Range{From: e.From.Add(-pre), To: max(e.To, e.From).Add(post)})
	}
	return v
}

// cause returns why a time is not recorded; empty if it is.
func (v *verdicts) cause(r recordings.Range) recordings.Cause {
	within := func(o recordings.Range) bool { return o.Overlaps(r) }
	switch {
	case slices.ContainsFunc(v.paused, within):
		return recordings.Paused
	case !v.gate.policy.Schedule.Active(r.From.Std()):
		return recordings.Schedule
	case v.gate.policy.OnEvent && !v.all && !slices.ContainsFunc(v.events, within):
		return recordings.NoEvent
	}
	return ""
}

// cause is ask and cause for one range.
func (g *gate) cause(ctx context.Context, r recordings.Range) recordings.Cause {
	v := g.ask(ctx, r)
	return v.cause(r)
}

// later reports whether what is refused now for a cause may be wanted later.
func later(c recordings.Cause) bool { return c == recordings.NoEvent }
