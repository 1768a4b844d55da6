package agent

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// Password implements peer.DirectHandler.
func (a *Agent) Password(fragment string) (string, bool) {
	f, err := peer.ParseDirectFragment(fragment)
	// A clock that cannot be right expires nothing; access lists still hold.
	if err != nil || a.gate.trust.ClockBelievable() && time.Now().After(time.Unix(int64(f.Expires), 0)) {
		return "", false
	}
	return peer.DirectPassword(ticketSecret(a.opts.DirectKey, f.Viewer, f.Expires), fragment), true
}

// Call implements peer.DirectHandler.
func (a *Agent) Call(c peer.DirectCall) error {
	f, err := peer.ParseDirectFragment(c.Fragment)
	if err != nil {
		return err
	}
	viewer, now := peerOf(f.Viewer), time.Now()
	if err := viewer.Validate(); err != nil {
		return err
	}
	if err := within(a.allow.of(now, string(viewer)).offers, now, 1); err != nil {
		a.metrics.refused(err)
		return err
	}
	principal, err := a.gate.trust.Authorize(viewer, nil)
	if err != nil {
		a.metrics.offer("refused")
		a.metrics.refused(err)
		a.log.Info("refused a viewer that dialled directly", "viewer", viewer.Grouped(), "reason", err)
		a.journal.refused(now, viewer, "", c.From.String())
		return err
	}
	s := &session{key: sessionKey{viewer, signaling.NewToken(signaling.SessionSize)}, via: viaDirect}
	s.principal.Store(principal)
	if err := a.openDirect(context.Background(), s, c, f.Fingerprint); err != nil {
		a.metrics.offer("rejected")
		return err
	}
	a.metrics.offer("answered")
	a.log.Info("a viewer came", "viewer", viewer.Grouped(), "session", s.logID(), "via", s.via, "from", c.From)
	return nil
}

func (a *Agent) openDirect(ctx context.Context, s *session, c peer.DirectCall, fingerprint [sha256.Size]byte) error {
	p := a.publisher.Load()
	if p == nil {
		return peer.ErrBusy
	}
	if err := a.sessions.reserve(s.place); err != nil {
		return err
	}
	answering, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	media, err := (*p).AnswerDirect(answering, c, fingerprint)
	if err != nil {
		a.sessions.cancel(s.place)
		return err
	}
	return a.enter(ctx, s, media)
}
