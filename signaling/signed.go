package signaling

import (
	"fmt"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Signed is a message whose signature has been checked: only Open makes one.
// What is left to check is whether it belongs here, and that is the work of
// OfferVerifier, ViewerSession and PublisherSession.
type Signed struct {
	// constant
	compact string
	message Message
}

// Open verifies a compact JWS, decodes its message and requires that its "from"
// is the peer who signed. Errors wrap identity.ErrNotVerified, ErrMessage or
// ErrSender.
func Open(compact string) (Signed, error) {
	payload, signer, err := identity.Verify(compact)
	if err != nil {
		return Signed{}, fmt.Errorf("open a message: %w", err)
	}
	m, err := DecodeMessage(payload)
	if err != nil {
		return Signed{}, err
	}
	if m.Head().From != signer {
		return Signed{}, ErrSender
	}
	return Signed{compact: compact, message: m}, nil
}

// Message returns the message. It must not be changed.
func (s Signed) Message() Message { return s.message }

// Head returns the message's header.
func (s Signed) Head() *Header { return s.message.Head() }

// seal encodes and signs a message.
func seal(id *identity.Identity, m Message) (string, error) {
	payload, err := EncodeMessage(m)
	if err != nil {
		return "", err
	}
	compact, err := identity.Sign(id, payload)
	if err != nil {
		return "", fmt.Errorf("sign the %s: %w", m.kind(), err)
	}
	return compact, nil
}
