package agent

import (
	"context"
	"errors"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
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
// nothing: whoever sent it has to have signed it.
func (a *Agent) receive(ctx context.Context, from identity.PeerID, payload string) {
	in, err := signaling.Open(a.opts.Identity, payload)
	if err != nil || in.Head().From != from {
		a.metrics.message("invalid")
		a.log.Debug("dropped a signaling message", "from", from.Short(), "error", err)
		return
	}
	if _, ok := in.Message().(*signaling.Offer); !ok {
		a.receiveLater(in)
		return
	}
	// Strangers have places of their own: refusing them must not keep anybody
	// out who may watch.
	places := a.offers
	if a.access.allow(from) != nil {
		places = a.refusals
	}
	if !places.take() {
		a.metrics.offer("dropped")
		return
	}
	a.watching.Go(func() {
		defer places.give()
		a.receiveOffer(ctx, in)
	})
}

// receiveLater takes a candidate or the end of a session.
func (a *Agent) receiveLater(in signaling.Signed) {
	s, ok := a.sessions.get(sessionKey{in.Head().From, in.Head().Session})
	if !ok || s.intro == nil {
		a.metrics.message("unknown_session")
		return
	}
	m, err := s.intro.Receive(in)
	if err != nil {
		a.metrics.message("unexpected")
		return
	}
	a.metrics.message("accepted")
	switch m := m.(type) {
	case *signaling.Candidate:
		a.addCandidate(s, m.Candidate, m.MID)
	case *signaling.Bye:
		a.watching.Go(func() { _ = s.media.Close() })
	}
}

// receiveOffer answers or refuses an offer.
func (a *Agent) receiveOffer(ctx context.Context, in signaling.Signed) {
	now := time.Now()
	intro, err := a.verifier.Accept(now, in)
	if err != nil {
		a.metrics.offer("refused")
		a.log.Info("refused a viewer", "viewer", in.Head().From.Grouped(), "reason", err)
		if reply, send, err := a.verifier.Refuse(now, in, err); err == nil && send {
			a.send(ctx, in.Head().From, reply)
		}
		return
	}
	s := &session{key: sessionKey{intro.Viewer(), intro.ID()}, via: viaSignaling, intro: intro}
	sdp, err := a.answer(ctx, s, intro.Offer())
	if err != nil {
		a.metrics.offer("rejected")
		code, reason := rejection(err)
		a.log.Info("could not serve a viewer", "viewer", intro.Viewer().Grouped(), "code", code, "error", err)
		if reply, err := intro.Reject(time.Now(), code, reason); err == nil {
			a.send(ctx, intro.Viewer(), reply)
		}
		return
	}
	reply, err := intro.Answer(time.Now(), sdp)
	if err != nil {
		a.log.Error("could not sign an answer", "session", s.logID(), "error", err)
		_ = s.media.Close()
		return
	}
	a.metrics.offer("answered")
	a.log.Info("a viewer came", "viewer", intro.Viewer().Grouped(), "session", s.logID())
	if !a.send(ctx, intro.Viewer(), reply) {
		_ = s.media.Close()
	}
}

func (a *Agent) answer(ctx context.Context, s *session, o *signaling.Offer) (string, error) {
	pick, err := a.cameras.pick(o.Media)
	if err != nil {
		return "", err
	}
	return a.open(ctx, s, peer.Offer{SDP: o.SDP, Pick: pick})
}

// rejection says to a viewer why its offer is not answered.
func rejection(err error) (signaling.RejectCode, string) {
	if missing, ok := errors.AsType[*noCameraError](err); ok {
		return signaling.RejectNoCamera, missing.Error()
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
