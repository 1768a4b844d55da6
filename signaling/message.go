package signaling

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

// Type says what kind a session message is.
type Type string

// The session messages.
const (
	TypeOffer     Type = "offer"
	TypeAnswer    Type = "answer"
	TypeCandidate Type = "candidate"
	TypeReject    Type = "reject"
	TypeBye       Type = "bye"

	TypeRestart        Type = "restart"
	TypeRestarted      Type = "restarted"
	TypeRestartRequest Type = "restart-request"
)

// Message is one of *Offer, *Answer, *Candidate, *Reject, *Bye, *Restart,
// *Restarted and *RestartRequest.
type Message interface {
	// Head returns the part that all messages share.
	Head() *Header
	kind() Type
	validate() error
}

// Header is what every session message begins with.
type Header struct {
	// Type is filled in by EncodeMessage.
	Type Type `json:"type"`
	// From is the sender; it must be the peer whose key signed.
	From identity.PeerID `json:"from"`
	// To is the one receiver.
	To identity.PeerID `json:"to"`
	// Session is chosen at random by the viewer: 16 bytes.
	Session Token `json:"session"`
	// Seq rises with every message of one sender in one session; the first is 1.
	Seq int64 `json:"seq"`
	// Exp is when the message expires, in seconds since the Unix epoch by the
	// sender's clock. Only an offer's is ever compared with a clock.
	Exp int64 `json:"exp"`
}

// Head returns h itself.
func (h *Header) Head() *Header { return h }

// Signed returns when the sender says it signed: Exp less Lifetime.
func (h *Header) Signed() time.Time {
	return time.Unix(h.Exp, 0).Add(-Lifetime)
}

func (h *Header) validate() error {
	if err := h.From.Validate(); err != nil {
		return fmt.Errorf("%w: from: %w", ErrMessage, err)
	}
	if err := h.To.Validate(); err != nil {
		return fmt.Errorf("%w: to: %w", ErrMessage, err)
	}
	if h.From == h.To {
		return fmt.Errorf("%w: from and to are the same peer", ErrMessage)
	}
	if err := h.Session.check("session", SessionSize); err != nil {
		return err
	}
	if h.Seq < 1 || h.Seq > MaxInt {
		return fmt.Errorf("%w: seq is out of range", ErrMessage)
	}
	if h.Exp < 0 || h.Exp > MaxInt {
		return fmt.Errorf("%w: exp is out of range", ErrMessage)
	}
	return nil
}

// DecodeMessage reads the payload of a signed message. It accepts exactly the
// names that the message's type has, and checks every limit; errors wrap
// ErrMessage. It does not check who sent it: that is Open's work.
func DecodeMessage(payload []byte) (Message, error) {
	if len(payload) > identity.MaxJWS {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrMessage, identity.MaxJWS)
	}
	var peek struct {
		Type Type `json:"type"`
	}
	if err := json.Unmarshal(payload, &peek); err != nil {
		return nil, fmt.Errorf("%w: not a JSON object with a type", ErrMessage)
	}
	m, err := newMessage(peek.Type)
	if err != nil {
		return nil, err
	}
	if err := strictjson.Unmarshal(payload, m); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMessage, peek.Type, err)
	}
	// The strict pass knows one spelling of "type" only; the first look may
	// have taken another.
	if m.Head().Type != m.kind() {
		return nil, fmt.Errorf("%w: unclear type", ErrMessage)
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

func newMessage(t Type) (Message, error) {
	switch t {
	case TypeOffer:
		return &Offer{}, nil
	case TypeAnswer:
		return &Answer{}, nil
	case TypeCandidate:
		return &Candidate{}, nil
	case TypeReject:
		return &Reject{}, nil
	case TypeBye:
		return &Bye{}, nil
	case TypeRestart:
		return &Restart{}, nil
	case TypeRestarted:
		return &Restarted{}, nil
	case TypeRestartRequest:
		return &RestartRequest{}, nil
	}
	return nil, fmt.Errorf("%w: unknown type", ErrMessage)
}

// EncodeMessage fills in the type, checks every limit and returns the JSON.
func EncodeMessage(m Message) ([]byte, error) {
	m.Head().Type = m.kind()
	if err := m.validate(); err != nil {
		return nil, err
	}
	return marshal(m)
}

// marshal is json.Marshal without the escapes meant for HTML, which would make
// session descriptions longer.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode a signaling message: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
