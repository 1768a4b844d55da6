package signaling

import (
	"fmt"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// PublisherSession is the publisher's end (an agent's or a recorder's) of one
// session's messages. OfferVerifier.Accept makes it; then either Answer or
// Reject once, then candidates and a bye both ways. Safe for concurrent use.
type PublisherSession struct {
	// constant after construction
	offer    *Offer
	offerJWS string

	mu sync.Mutex
	// guarded by mu
	exchange
}

// ID returns the session's name. Two viewers may choose the same: the key of a
// table is the pair of Viewer and ID.
func (s *PublisherSession) ID() Token { return s.session }

// Viewer returns who offered.
func (s *PublisherSession) Viewer() identity.PeerID { return s.peer }

// Offer returns the offer. It must not be changed.
func (s *PublisherSession) Offer() *Offer { return s.offer }

// Transcript names the handshake; "" until the offer is answered. A claim's
// proof is bound to it.
func (s *PublisherSession) Transcript() Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transcript
}

// Answer returns the sealed answer with the publisher's session description, and
// the servers that help to reach it.
func (s *PublisherSession) Answer(now time.Time, sdp string, ice ...ICEServer) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.undecided(); err != nil {
		return "", err
	}
	compact, err := sign(s.id, &Answer{
		Header:    s.next(now),
		Nonce:     NewToken(SessionSize),
		PeerNonce: s.offer.Nonce,
		OfferHash: HashOf(s.offerJWS),
		SDP:       sdp,
		ICE:       append([]ICEServer{}, ice...),
	})
	if err != nil {
		s.sent-- // a reject may still follow
		return "", err
	}
	s.transcript = Transcript(s.offerJWS, compact)
	return seal(s.peerKey, compact)
}

// Reject returns the sealed refusal and ends the session. reason is a sentence
// for a person; one that is too long or has control characters is an error.
func (s *PublisherSession) Reject(now time.Time, code RejectCode, reason string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.undecided(); err != nil {
		return "", err
	}
	sealed, err := s.send(&Reject{Header: s.next(now), OfferHash: HashOf(s.offerJWS), Code: code, Reason: reason})
	if err != nil {
		s.sent--
		return "", err
	}
	s.closed = true
	return sealed, nil
}

func (s *PublisherSession) undecided() error {
	if s.closed || s.transcript != "" {
		return fmt.Errorf("%w: the offer is decided already", ErrUnexpected)
	}
	return nil
}

// Receive takes a later message from the viewer: *Candidate, *Restart or *Bye,
// bound to this handshake. An error means that the message must be ignored, and changes
// nothing: ErrNotForMe or ErrUnexpected.
func (s *PublisherSession) Receive(in Signed) (Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(in.Head()); err != nil {
		return nil, err
	}
	switch in.message.(type) {
	case *Restarted, *RestartRequest:
		return nil, check.Refused(check.Order, fmt.Errorf("%w: %s from a viewer", ErrUnexpected, in.message.kind()))
	}
	if err := s.acceptLater(in.message); err != nil {
		return nil, err
	}
	return in.message, nil
}

// Candidate returns a sealed late candidate; "" is the end of candidates.
func (s *PublisherSession) Candidate(now time.Time, candidate, mid string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.candidate(now, candidate, mid)
}

// Restarted returns the sealed answer to a Restart.
func (s *PublisherSession) Restarted(now time.Time, to *Restart, sdp string, ice ...ICEServer) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(TypeRestarted); err != nil {
		return "", err
	}
	return s.send(&Restarted{
		Header: s.next(now), Transcript: s.transcript, Restart: to.Seq, SDP: sdp, ICE: append([]ICEServer{}, ice...),
	})
}

// RequestRestart returns a sealed message that asks the viewer for a Restart.
func (s *PublisherSession) RequestRestart(now time.Time, reason string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(TypeRestartRequest); err != nil {
		return "", err
	}
	return s.send(&RestartRequest{Header: s.next(now), Transcript: s.transcript, Reason: reason})
}

// Bye returns the sealed end of the session.
func (s *PublisherSession) Bye(now time.Time, reason string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bye(now, reason)
}
