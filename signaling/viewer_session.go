package signaling

import (
	"fmt"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
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
	restart    int64 // the Seq of the Restart that waits for its answer; 0 without one
}

// NewViewerSession prepares a session with the publisher that the user dialled.
// key is the publisher's, by its own key statement: identity.OpenKeyStatement.
func NewViewerSession(id *identity.Identity, publisher identity.PeerID, key identity.AgreementKey) (*ViewerSession, error) {
	if err := publisher.Validate(); err != nil {
		return nil, fmt.Errorf("prepare a session: %w", err)
	}
	if publisher == id.PeerID() {
		return nil, fmt.Errorf("prepare a session: %w: a peer cannot dial itself", ErrNotForMe)
	}
	if err := key.Validate(); err != nil {
		return nil, fmt.Errorf("prepare a session: %w", err)
	}
	return &ViewerSession{exchange: exchange{id: id, peer: publisher, peerKey: key, session: NewToken(SessionSize)}}, nil
}

// ID returns the session's name.
func (s *ViewerSession) ID() Token { return s.session }

// Publisher returns who was dialled.
func (s *ViewerSession) Publisher() identity.PeerID { return s.peer }

// Transcript names the handshake; "" until the answer has come. A claim's proof
// is bound to it.
func (s *ViewerSession) Transcript() Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transcript
}

// Request is what a viewer offers and asks for.
type Request struct {
	// SDP is the session description.
	SDP string
	// Media says which section is to carry which camera.
	Media []Media
	// Claim and Grants say by what right: see Offer.
	Claim  Claim
	Grants []string
}

// Offer returns the sealed offer to send to the publisher. Once per session: a
// second attempt is a new session. now is the local time, plus the
// Reject.ClockOffset of an attempt that was rejected as expired.
func (s *ViewerSession) Offer(now time.Time, r Request) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.offerJWS != "" || s.closed {
		return "", fmt.Errorf("%w: a session has one offer", ErrUnexpected)
	}
	o := &Offer{
		Header: s.next(now), Nonce: NewToken(SessionSize), Key: s.id.AgreementKey(),
		Claim: r.Claim, Grants: append([]string{}, r.Grants...), SDP: r.SDP, Media: append([]Media{}, r.Media...),
	}
	compact, err := sign(s.id, o)
	if err != nil {
		s.sent--
		return "", err
	}
	s.offerJWS, s.offerNonce = compact, o.Nonce
	return seal(s.peerKey, compact)
}

// Receive takes a message from the publisher. Before the handshake it returns
// the *Answer or the *Reject that belongs to the offer; after it, *Candidate,
// *RestartRequest, *Bye, and the *Restarted that answers the last Restart. An error means that the message must be ignored, and changes
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
		if !check.Off(check.Binding) && m.PeerNonce != s.offerNonce {
			return nil, check.Refused(check.Binding, fmt.Errorf("%w: answer to another nonce", ErrUnexpected))
		}
		s.received, s.transcript = m.Seq, Transcript(s.offerJWS, in.compact)
	case *Reject:
		if err := s.first(m.OfferHash); err != nil {
			return nil, err
		}
		s.received, s.closed = m.Seq, true
	case *Restart:
		return nil, check.Refused(check.Order, fmt.Errorf("%w: %s from a publisher", ErrUnexpected, m.kind()))
	case *Restarted:
		if !check.Off(check.Binding) && m.Restart != s.restart {
			return nil, check.Refused(check.Binding, fmt.Errorf("%w: answer to another restart", ErrUnexpected))
		}
		if err := s.acceptLater(m); err != nil {
			return nil, err
		}
		s.restart = 0
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
		return check.Refused(check.Order, fmt.Errorf("%w: an answer before the offer", ErrUnexpected))
	case s.transcript != "":
		return check.Refused(check.Order, fmt.Errorf("%w: a second answer", ErrUnexpected))
	case !check.Off(check.Binding) && offerHash != HashOf(s.offerJWS):
		return check.Refused(check.Binding, fmt.Errorf("%w: answer to another offer", ErrUnexpected))
	}
	return nil
}

// Candidate returns a sealed late candidate; "" is the end of candidates. Before
// the answer it is an error (ErrUnexpected): hold candidates back until then.
func (s *ViewerSession) Candidate(now time.Time, candidate, mid string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.candidate(now, candidate, mid)
}

// Restart returns a sealed offer of new ICE parameters. An answer to an earlier
// one is not accepted any more.
func (s *ViewerSession) Restart(now time.Time, sdp string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(TypeRestart); err != nil {
		return "", err
	}
	m := &Restart{Header: s.next(now), Transcript: s.transcript, SDP: sdp}
	sealed, err := s.send(m)
	if err == nil {
		s.restart = m.Seq
	}
	return sealed, err
}

// Bye returns the sealed end of the session. Before the answer it is an error
// (ErrUnexpected); the publisher then gives up by itself.
func (s *ViewerSession) Bye(now time.Time, reason string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bye(now, reason)
}
