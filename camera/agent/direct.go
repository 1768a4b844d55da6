package agent

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/internal/ticket"
	"github.com/sightline-cam/sightline/signaling"
)

// maxCallAge is how old, or from the future, a call may be. It bounds how long a
// recorded one could be played again, which comes to nothing anyhow for want of the
// certificate's key.
const maxCallAge = 5 * time.Minute

// Password implements peer.DirectHandler.
func (a *Agent) Password(fragment string) (string, bool) {
	f, err := ticket.Parse(fragment)
	if err != nil {
		return "", false
	}
	// A clock that cannot be right expires nothing; access lists still hold.
	if now := time.Now(); a.gate.trust.ClockBelievable() && (now.After(f.Expires) || now.Sub(f.Time).Abs() > maxCallAge) {
		return "", false
	}
	secret, err := ticket.Secret(a.opts.DirectKey, f.Viewer, f.Expires)
	if err != nil {
		return "", false
	}
	return ticket.Password(secret, fragment), true
}

// Call implements peer.DirectHandler.
func (a *Agent) Call(c peer.DirectCall) error {
	f, err := ticket.Parse(c.Fragment)
	if err != nil {
		return err
	}
	viewer, now := f.Viewer, time.Now()
	if err := f.Verify(a.PeerID()); err != nil {
		a.metrics.offer("refused")
		a.log.Info("refused a direct call with somebody else's ticket", "viewer", viewer.Grouped(), "from", c.From)
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
	if !a.opts.Open && !a.gate.trust.Known(viewer) {
		s.place = placeOfNewcomer
	}
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
