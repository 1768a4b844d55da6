package signaling

import (
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// exchange is what both ends of a session keep: who talks to whom, how far the
// sequence numbers are, and the transcript once there is one. Its owner guards
// it.
type exchange struct {
	// constant after construction
	id      *identity.Identity
	peer    identity.PeerID
	peerKey identity.AgreementKey // what is sent is sealed to it
	session Token

	// guarded by the owner's mutex
	sent       int64 // the last sequence number used
	received   int64 // the last sequence number accepted
	transcript Token // "" until the handshake is complete
	closed     bool
}

// next returns the header of the next message to send. The type is filled in
// when it is encoded.
func (e *exchange) next(now time.Time) Header {
	e.sent++
	return Header{
		From:    e.id.PeerID(),
		To:      e.peer,
		Session: e.session,
		Seq:     e.sent,
		Exp:     max(0, now.Add(Lifetime).Unix()),
	}
}

// admit checks that a message comes from the other end of this very session and
// is newer than the last. It changes nothing: accept does.
func (e *exchange) admit(h *Header) error {
	switch {
	case !check.Off(check.Receiver) && (h.From != e.peer || h.To != e.id.PeerID()):
		return check.Refused(check.Receiver, ErrNotForMe)
	case e.closed:
		return check.Refused(check.Order, fmt.Errorf("%w: the session is over", ErrUnexpected))
	case !check.Off(check.Binding) && h.Session != e.session:
		return check.Refused(check.Binding, fmt.Errorf("%w: the session differs", ErrUnexpected))
	case !check.Off(check.Order) && h.Seq <= e.received:
		return check.Refused(check.Order, fmt.Errorf("%w: seq %d after %d", ErrUnexpected, h.Seq, e.received))
	}
	return nil
}

// acceptLater takes what may follow a complete handshake.
func (e *exchange) acceptLater(m Message) error {
	if e.transcript == "" {
		return check.Refused(check.Order, fmt.Errorf("%w: %s before the handshake is complete", ErrUnexpected, m.kind()))
	}
	var transcript Token
	switch m := m.(type) {
	case *Candidate:
		transcript = m.Transcript
	case *Bye:
		transcript = m.Transcript
	case *Restart:
		transcript = m.Transcript
	case *Restarted:
		transcript = m.Transcript
	case *RestartRequest:
		transcript = m.Transcript
	default:
		return check.Refused(check.Order, fmt.Errorf("%w: %s after the handshake", ErrUnexpected, m.kind()))
	}
	if !check.Off(check.Binding) && transcript != e.transcript {
		return check.Refused(check.Binding, fmt.Errorf("%w: the transcript differs", ErrUnexpected))
	}
	e.received = m.Head().Seq
	_, e.closed = m.(*Bye)
	return nil
}

func (e *exchange) candidate(now time.Time, candidate, mid string) (string, error) {
	if err := e.ready(TypeCandidate); err != nil {
		return "", err
	}
	return e.send(&Candidate{Header: e.next(now), Transcript: e.transcript, Candidate: candidate, MID: mid})
}

func (e *exchange) bye(now time.Time, reason string) (string, error) {
	if err := e.ready(TypeBye); err != nil {
		return "", err
	}
	e.closed = true
	return e.send(&Bye{Header: e.next(now), Transcript: e.transcript, Reason: reason})
}

// send signs a message and seals it for the other end.
func (e *exchange) send(m Message) (string, error) {
	compact, err := sign(e.id, m)
	if err != nil {
		return "", err
	}
	return seal(e.peerKey, compact)
}

func (e *exchange) ready(t Type) error {
	if e.closed {
		return fmt.Errorf("%w: the session is over", ErrUnexpected)
	}
	if e.transcript == "" {
		return fmt.Errorf("%w: no %s before the handshake is complete", ErrUnexpected, t)
	}
	return nil
}
