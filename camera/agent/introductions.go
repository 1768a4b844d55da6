package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

// signalState follows the connection to the signaling server. Live sessions do
// not depend on it.
func (a *Agent) signalState(s client.State, _ error) {
	online := s == client.StateOnline
	if a.online.Swap(online) != online {
		a.opts.OnSignal(online)
	}
}

// receive takes a message that came through the signaling server, which proves
// nothing: whoever sent it has to have signed it. Before anything is decrypted
// the sender that the frame names must be within its limits; strangers share
// theirs, so that they keep nobody out who may watch.
func (a *Agent) receive(ctx context.Context, from identity.PeerID, payload string) {
	known := a.opts.Open || a.gate.trust.Known(from)
	if err := a.heard(time.Now(), from, known); err != nil {
		a.metrics.refused(err)
		a.metrics.message("dropped")
		return
	}
	in, err := signaling.Open(a.opts.Identity, payload)
	if err != nil || in.Head().From != from {
		a.metrics.refused(err)
		a.metrics.message("invalid")
		a.log.Debug("dropped a signaling message", "from", from.Short(), "error", err)
		return
	}
	if _, ok := in.Message().(*signaling.Offer); !ok {
		a.receiveLater(ctx, in)
		return
	}
	places := a.offers
	if !known {
		places = a.refusals
	} else if err := within(a.allow.of(time.Now(), string(from)).offers, time.Now(), 1); err != nil {
		a.metrics.refused(err)
		a.metrics.offer("dropped")
		return
	}
	if !places.take() {
		a.metrics.offer("dropped")
		return
	}
	a.watching.Go(func() {
		defer places.give()
		a.receiveOffer(ctx, in, known)
	})
}

// heard counts a message against what its sender may send. Who has a session
// has limits of its own, known or not.
func (a *Agent) heard(now time.Time, from identity.PeerID, known bool) error {
	if known || a.sessions.known(from) {
		return within(a.allow.of(now, string(from)).messages, now, 1)
	}
	return within(a.strangers, now, 1)
}

// receiveLater takes a candidate, a restart or the end of a session.
func (a *Agent) receiveLater(ctx context.Context, in signaling.Signed) {
	s, ok := a.sessions.get(sessionKey{in.Head().From, in.Head().Session})
	if !ok || s.intro == nil {
		a.metrics.message("unknown_session")
		return
	}
	m, err := s.intro.Receive(in)
	if err != nil {
		a.metrics.refused(err)
		a.metrics.message("unexpected")
		return
	}
	a.metrics.message("accepted")
	switch m := m.(type) {
	case *signaling.Candidate:
		a.queue(s, func() { a.addCandidate(s, m.Candidate, m.MID) })
	case *signaling.Restart:
		a.queue(s, func() { a.restart(ctx, s, m) })
	case *signaling.Bye:
		a.watching.Go(func() { _ = s.media.Close() })
	}
}

// receiveOffer answers or refuses an offer. known tells whether its sender was
// known before it came.
func (a *Agent) receiveOffer(ctx context.Context, in signaling.Signed, known bool) {
	now := time.Now()
	o, ok := in.Message().(*signaling.Offer)
	if !ok {
		return
	}
	verifier := a.verifier
	if o.Claim != signaling.ClaimNone {
		verifier = a.claims
	}
	intro, err := verifier.Accept(now, in)
	admitted, _ := a.admitted.LoadAndDelete(o)
	if err != nil {
		a.refuse(ctx, now, verifier, in, err)
		return
	}
	s := &session{key: sessionKey{intro.Viewer(), intro.ID()}, via: viaSignaling, intro: intro}
	principal, _ := admitted.(*trust.Principal)
	switch {
	case o.Claim != signaling.ClaimNone:
		s.via, s.place = viaClaim, placeOfClaim
	case principal == nil:
		return // Accept says that there is one
	case !known:
		s.place = placeOfNewcomer
	}
	s.principal.Store(principal)
	sdp, err := a.answer(ctx, s, o)
	if err != nil {
		a.reject(ctx, intro, err)
		return
	}
	servers := a.ice.forViewer
	if s.place == placeOfClaim {
		servers = a.ice.forClaim
	}
	reply, err := intro.Answer(time.Now(), sdp, servers()...)
	if err != nil {
		a.log.Error("could not sign an answer", "session", s.logID(), "error", err)
		_ = s.media.Close()
		return
	}
	a.metrics.offer("answered")
	a.log.Info("a viewer came", "viewer", intro.Viewer().Grouped(), "session", s.logID(), "via", s.via)
	if !a.send(ctx, intro.Viewer(), reply) {
		_ = s.media.Close()
		return
	}
	for _, line := range s.held.release() {
		a.tell(ctx, s, line)
	}
}

// authorizeOffer decides on the viewer of an offer to watch.
func (a *Agent) authorizeOffer(o *signaling.Offer) error {
	p, err := a.gate.trust.Authorize(o.From, o.Grants)
	if err != nil {
		return fmt.Errorf("%w: %w", err, &signaling.Denial{Code: signaling.RejectForbidden, Reason: forbidden(err).Message})
	}
	a.admitted.Store(o, p)
	return nil
}

// authorizeClaim decides whether somebody may show a secret.
func (a *Agent) authorizeClaim(o *signaling.Offer) error {
	if err := a.gate.trust.ClaimLockedFor(o.From); err != nil {
		err = check.Refused(check.Lock, err)
		return fmt.Errorf("%w: %w", err, &signaling.Denial{Code: signaling.RejectLocked, Reason: sentence(err)})
	}
	if a.gate.trust.ClaimOpen(string(o.Claim)) {
		return nil
	}
	reason := "No invite is open here any more. Ask for a new one."
	if o.Claim == signaling.ClaimPair {
		reason = "This camera is not being paired now. Run `sightline pair` on it, or ask its owner for an invite."
	}
	return &signaling.Denial{Code: signaling.RejectPairingClosed, Reason: reason}
}

// refuse answers an offer that was not accepted, where it is to be answered.
func (a *Agent) refuse(ctx context.Context, now time.Time, v *signaling.OfferVerifier, in signaling.Signed, cause error) {
	viewer := in.Head().From
	a.metrics.offer("refused")
	a.metrics.refused(cause)
	a.log.Info("refused a viewer", "viewer", viewer.Grouped(), "reason", cause)
	if errors.Is(cause, signaling.ErrForbidden) {
		name, _ := check.Of(cause)
		a.journal.refused(now, viewer, string(name), "")
	}
	if reply, send, err := v.Refuse(now, in, cause); err == nil && send {
		a.send(ctx, viewer, reply)
	}
}

// reject answers an offer that was accepted and cannot be served.
func (a *Agent) reject(ctx context.Context, intro *signaling.PublisherSession, cause error) {
	a.metrics.offer("rejected")
	a.metrics.refused(cause)
	code, reason := rejection(cause)
	a.log.Info("could not serve a viewer", "viewer", intro.Viewer().Grouped(), "code", code, "error", cause)
	if reply, err := intro.Reject(time.Now(), code, reason); err == nil {
		a.send(ctx, intro.Viewer(), reply)
	}
}

// answer opens the session. One for a claim has no media.
func (a *Agent) answer(ctx context.Context, s *session, o *signaling.Offer) (string, error) {
	if s.place == placeOfClaim {
		return a.open(ctx, s, a.trickling(ctx, s, peer.Offer{SDP: o.SDP}))
	}
	pick, err := a.cameras.pick(o.Media, a.mayWatch(s.principal.Load()))
	if err != nil {
		return "", err
	}
	return a.open(ctx, s, a.trickling(ctx, s, peer.Offer{SDP: o.SDP, Pick: pick}))
}

// mayWatch returns whether a principal may watch a camera live.
func (a *Agent) mayWatch(p *trust.Principal) func(camera string) error {
	return func(camera string) error { return p.Need(access.Live, camera) }
}

// rejection says to a viewer why its offer is not answered.
func rejection(err error) (signaling.RejectCode, string) {
	if missing, ok := errors.AsType[*noCameraError](err); ok {
		return signaling.RejectNoCamera, missing.Error()
	}
	if name, ok := check.Of(err); ok && name == check.Right {
		return signaling.RejectForbidden, "You may not watch this camera. Ask its owner to share it with you."
	}
	switch {
	case errors.Is(err, peer.ErrBusy):
		return signaling.RejectBusy, "As many people are watching as this camera can serve. Try again in a moment."
	case errors.Is(err, peer.ErrBadOffer):
		return signaling.RejectBadRequest, "The camera does not understand this app's offer. Update the app."
	}
	return signaling.RejectBusy, "The camera could not answer. Try again in a moment."
}

// send hands a signed message to the signaling server and reports whether it
// took it.
func (a *Agent) send(ctx context.Context, to identity.PeerID, payload string) bool {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := a.signal.Send(ctx, to, payload); err != nil {
		a.log.Info("could not reach a viewer through signaling", "viewer", to.Short(), "error", err)
		return false
	}
	return true
}

// logID names a session in logs: enough to tell two apart, too little to use
// it, for the id of a WHEP session is all it takes to end it.
func (s *session) logID() string { return string(s.key.id[:min(6, len(s.key.id))]) }
