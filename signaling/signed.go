package signaling

import (
	"fmt"
	"strings"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// Signed is a message that was sealed for this peer and whose signature has
// been checked: only Open makes one. What is left to check is whether it belongs
// here, and that is the work of OfferVerifier, ViewerSession and
// PublisherSession.
type Signed struct {
	// constant
	compact string // the JWS, as it was inside the seal
	message Message
}

// Open opens what was sealed for id, verifies the JWS inside, decodes its
// message and requires that its "from" is the peer who signed. Errors wrap
// identity.ErrNotSealed, identity.ErrNotVerified, ErrMessage or ErrSender, and
// name their check.
func Open(id *identity.Identity, payload string) (Signed, error) {
	compact, err := unseal(id, payload)
	if err != nil {
		return Signed{}, fmt.Errorf("open a message: %w", err)
	}
	return verify(compact)
}

// verify reads the JWS that was inside the seal.
func verify(compact string) (Signed, error) {
	text, signer, err := identity.Verify(compact)
	if strings.HasPrefix(compact, "{") { // the message itself, which nobody signed
		if text, signer, err = unsigned(compact); !check.Off(check.Signed) {
			err = check.Refused(check.Signed, fmt.Errorf("%w: nobody signed it", identity.ErrNotVerified))
		}
	}
	if err != nil {
		return Signed{}, fmt.Errorf("open a message: %w", err)
	}
	m, err := DecodeMessage(text)
	if err != nil {
		return Signed{}, check.Refused(check.Form, err)
	}
	if !check.Off(check.Sender) && m.Head().From != signer {
		return Signed{}, check.Refused(check.Sender, ErrSender)
	}
	return Signed{compact: compact, message: m}, nil
}

// unseal returns the JWS inside a sealed message.
func unseal(id *identity.Identity, payload string) (string, error) {
	compact, err := id.Unseal(payload)
	if check.Off(check.Sealed) && err != nil {
		return payload, nil
	}
	return string(compact), err
}

// Message returns the message. It must not be changed.
func (s Signed) Message() Message { return s.message }

// Head returns the message's header.
func (s Signed) Head() *Header { return s.message.Head() }

// sign encodes and signs a message. Its hash is what later messages are bound
// to.
func sign(id *identity.Identity, m Message) (string, error) {
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

// seal makes the payload of a signed message for the peer that has the key.
func seal(to identity.AgreementKey, compact string) (string, error) {
	sealed, err := identity.Seal(to, []byte(compact))
	if err != nil {
		return "", fmt.Errorf("seal a message: %w", err)
	}
	return sealed, nil
}
