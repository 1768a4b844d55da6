package signaling

import (
	"fmt"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

// ViewerSession is the viewer's end of one session's messages: Offer once, then
// Receive what comes until an *Answer or a *Reject, then candidates and a bye
// both ways. It refuses whatever a hostile server could make of genuine
// messages: another peer's, another session's or another offer's answer,
// repeated, reordered and reflected messages.
//
// It looks at no clock: the answer repeats the offer's fresh nonce, and
// everything later the transcript. Safe for concurrent use.
type ViewerSession struct {
	mu sync.Mutex
	// guarded by mu
	exchange
	offerJWS   string // "" before Offer
	offerNonce Token
}

// NewViewerSession prepares a session with the publisher that the user dialled.
func NewViewerSession(id *identity.Identity, publisher identity.PeerID) (*ViewerSession, error) {
	if err := publisher.Validate(); err != nil {
		return nil, fmt.Errorf("prepare a session: %w", err)
	}
	if publisher == id.PeerID() {
		return nil, fmt.Errorf("prepare a session: %w: a peer cannot dial itself", ErrNotForMe)
	}
	return &ViewerSession{exchange: exchange{id: id, peer: publisher, session: NewToken(SessionSize)}}, nil
}

// ID returns the session's name.
func (s *ViewerSession) ID() Token { return s.session }

// Publisher returns who was dialled.
func (s *ViewerSession) Publisher() identity.PeerID { return s.peer }

// Offer returns the signed offer to send to the publisher. Once per session: a
// second attempt is a new session. now is the local time, plus the
// Reject.ClockOffset of an attempt that was rejected as expired.
func (s *ViewerSession) Offer(now time.Time, sdp string, media []Media) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.offerJWS != "" || s.closed {
		return "", fmt.Errorf("%w: a session has one offer", ErrUnexpected)
	}
	if media == nil {
		media = []Media{}
	}
	o := &Offer{Header: s.next(now), Nonce: NewToken(SessionSize), SDP: sdp, Media: media}
	compact, err := seal(s.id, o)
	if err != nil {
		s.sent--
		return "", err
	}
	s.offerJWS, s.offerNonce = compact, o.Nonce
	return compact, nil
}

// Receive takes a message from the publisher. Before the handshake it returns
// the *Answer or the *Reject that belongs to the offer; after it, *Candidate
// and *Bye. An error means that the message must be ignored, and changes
// nothing: ErrNotForMe or ErrUnexpected.
func (s *ViewerSession) Receive(in Signed) (Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(in.Head()); err != nil {
		return nil, err
	}
	switch m := in.message.(type) {
	case *Answer:
		if err := s.first(m.OfferHash); err != nil {
			return nil, err
		}
		if m.PeerNonce != s.offerNonce {
			return nil, fmt.Errorf("%w: answer to another nonce", ErrUnexpected)
		}
		s.received, s.transcript = m.Seq, Transcript(s.offerJWS, in.compact)
	case *Reject:
		if err := s.first(m.OfferHash); err != nil {
			return nil, err
		}
		s.received, s.closed = m.Seq, true
	default:
		if err := s.acceptLater(m); err != nil {
			return nil, err
		}
	}
	return in.message, nil
}

// first checks that an answer or a reject is the first, and is to this offer.
func (s *ViewerSession) first(offerHash Token) error {
	switch {
	case s.offerJWS == "":
		return fmt.Errorf("%w: an answer before the offer", ErrUnexpected)
	case s.transcript != "":
		return fmt.Errorf("%w: a second answer", ErrUnexpected)
	case offerHash != HashOf(s.offerJWS):
		return fmt.Errorf("%w: answer to another offer", ErrUnexpected)
	}
	return nil
}

// Candidate returns a signed late candidate; "" is the end of candidates. Before
// the answer it is an error (ErrUnexpected): hold candidates back until then.
func (s *ViewerSession) Candidate(now time.Time, candidate, mid string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.candidate(now, candidate, mid)
}

// Bye returns the signed end of the session. Before the answer it is an error
// (ErrUnexpected); the publisher then gives up by itself.
func (s *ViewerSession) Bye(now time.Time, reason string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bye(now, reason)
}
