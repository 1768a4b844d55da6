package agent

import (
	"context"
	"time"

	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// queue lets a session do something after what came before it.
func (a *Agent) queue(s *session, f func()) {
	select {
	case s.later <- f:
	default:
		a.metrics.message("dropped")
	}
}

// trickling makes an offer's session pass on by signaling what its viewer is to
// know after the answer.
func (a *Agent) trickling(ctx context.Context, s *session, o peer.Offer) peer.Offer {
	o.OnCandidate = func(line string) {
		if !s.held.hold(line) {
			a.tell(ctx, s, line)
		}
	}
	o.OnMoved = func() {
		if payload, err := s.intro.RequestRestart(time.Now(), "The camera's network has changed."); err == nil {
			a.send(ctx, s.key.viewer, payload)
		}
	}
	return o
}

// tell passes a candidate on.
func (a *Agent) tell(ctx context.Context, s *session, line string) {
	if payload, err := s.intro.Candidate(time.Now(), line, "0"); err == nil { // an error: after the end
		a.send(ctx, s.key.viewer, payload)
	}
}

// restart answers a viewer's restart of ICE.
func (a *Agent) restart(ctx context.Context, s *session, m *signaling.Restart) {
	if err := within(s.restarts, time.Now(), 1); err != nil {
		a.metrics.refused(err)
		a.metrics.message("dropped")
		return
	}
	answering, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	sdp, err := s.media.Restart(answering, m.SDP)
	if err != nil {
		a.metrics.message("refused")
		a.log.Info("could not restart ICE", "session", s.logID(), "error", err)
		return
	}
	reply, err := s.intro.Restarted(time.Now(), m, sdp, a.ice.within(s.relays)...)
	if err != nil {
		a.log.Error("could not sign an answer", "session", s.logID(), "error", err)
		return
	}
	a.log.Info("ICE restarts", "session", s.logID())
	a.send(ctx, s.key.viewer, reply)
}
