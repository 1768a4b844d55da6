package agent

import (
	"context"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/trust"
)

// watchAccess ends the sessions of those who may no longer watch, within two
// seconds of it: at once when something changed, and by the clock for what
// expires and for the file of allowed viewers.
func (a *Agent) watchAccess(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-a.gate.trust.Changes():
		case <-a.resweep:
		case <-ctx.Done():
			return
		}
		a.sweep(ctx)
	}
}

// keepTrust writes down what could not be written when it was decided. It may
// wait for a slow disk, and is therefore not watchAccess.
func (a *Agent) keepTrust(ctx context.Context) {
	ticker := time.NewTicker(retryEvery)
	defer ticker.Stop()
	failed := false
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		err := a.gate.trust.Retry()
		if err != nil && !failed {
			a.log.Error("who has access could not be written down, and would be forgotten by a restart; make room on the disk", "error", err)
		}
		failed = err != nil
	}
}

// sweep looks at every session once.
func (a *Agent) sweep(ctx context.Context) {
	for _, s := range a.sessions.list() {
		if s.place == placeOfClaim {
			continue // it may do nothing that could be taken back
		}
		if reason := a.review(s); reason != "" {
			a.watching.Go(func() { a.end(ctx, s, reason) })
		}
	}
}

// review brings a session's principal up to date. A reason says why the session
// must end: tracks that play are not cut one by one, the viewer connects again
// and gets what is left.
func (a *Agent) review(s *session) (reason string) {
	was := s.principal.Load()
	now, err := a.gate.standing(was)
	switch {
	case err != nil:
		a.metrics.refused(err)
		return farewellFor(err)
	case now == was:
		return ""
	case s.whep != nil && now.Need(access.Live, s.whep.camera) != nil, a.narrower(now, was):
		return "Your access has changed."
	}
	s.principal.Store(now)
	return ""
}

// narrower reports whether now lacks a right that was has.
func (a *Agent) narrower(now, was *trust.Principal) bool {
	for _, c := range a.cameras.order {
		for _, right := range was.Rights(c.ID()) {
			if !now.May(right, c.ID()) {
				return true
			}
		}
	}
	return was.Owner() && !now.Owner()
}

// checkClock says once that the clock cannot be right.
func (a *Agent) checkClock() {
	if a.gate.trust.ClockBelievable() {
		return
	}
	a.log.Warn("this device's clock cannot be right: what expires is judged by the last time that an owner signed something; set the clock, or let it be set over the network",
		"clock", time.Now().UTC().Format(time.RFC3339))
	a.journal.clock()
}
