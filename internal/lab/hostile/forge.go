package hostile

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// errOpen says that something cannot be opened: it is not for this key.
var errOpen = errors.New("hostile: not sealed for this key")

// Opened is a session message as its forger reads it: no signature was looked
// at.
type Opened struct {
	// JWS is what was inside the seal.
	JWS string
	// Message is the message in it.
	Message signaling.Message
}

// Open opens what was sealed to a key, without any check.
func Open(id *identity.Identity, payload string) (Opened, error) {
	compact, err := id.Unseal(payload)
	if err != nil {
		return Opened{}, fmt.Errorf("%w: %w", errOpen, err)
	}
	parts := strings.Split(string(compact), ".")
	if len(parts) != 3 {
		return Opened{}, fmt.Errorf("%w: no JWS inside", errOpen)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return Opened{}, fmt.Errorf("%w: %w", errOpen, err)
	}
	m, err := signaling.DecodeMessage(text)
	if err != nil {
		return Opened{}, fmt.Errorf("%w: %w", errOpen, err)
	}
	return Opened{JWS: string(compact), Message: m}, nil
}

// Forge signs a message with a key, whoever it says it is from, and seals it.
func Forge(signer *identity.Identity, to identity.AgreementKey, m signaling.Message) (jws, payload string, err error) {
	text, err := signaling.EncodeMessage(m)
	if err != nil {
		return "", "", fmt.Errorf("hostile: forge: %w", err)
	}
	if jws, err = identity.Sign(signer, text); err != nil {
		return "", "", fmt.Errorf("hostile: forge: %w", err)
	}
	if payload, err = identity.Seal(to, []byte(jws)); err != nil {
		return "", "", fmt.Errorf("hostile: forge: %w", err)
	}
	return jws, payload, nil
}

// ForgeStatement says with the signer's signature that the signer's agreement
// key is the key of somebody else.
func ForgeStatement(signer *identity.Identity, victim identity.PeerID) (string, error) {
	text, err := json.Marshal(struct {
		Type      string                `json:"type"`
		ID        identity.PeerID       `json:"id"`
		Agreement identity.AgreementKey `json:"agreement"`
	}{"keys", victim, signer.AgreementKey()})
	if err != nil {
		return "", fmt.Errorf("hostile: forge a key statement: %w", err)
	}
	return identity.Sign(signer, text)
}

// keyIn reads the agreement key of a statement, without any check.
func keyIn(statement string) (identity.AgreementKey, error) {
	var s struct {
		Agreement identity.AgreementKey `json:"agreement"`
	}
	parts := strings.Split(statement, ".")
	if len(parts) != 3 {
		return "", errors.New("hostile: no key statement")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", fmt.Errorf("hostile: read a key statement: %w", err)
	}
	return s.Agreement, json.Unmarshal(text, &s)
}

// Fingerprint returns the value of an SDP fingerprint attribute (RFC 8122 §5)
// for an identity's DTLS certificate.
func Fingerprint(id *identity.Identity) string {
	sum := sha256.Sum256(id.Certificate().Certificate[0])
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return "sha-256 " + strings.Join(pairs, ":")
}

// SwapFingerprint replaces every DTLS fingerprint in a session description.
func SwapFingerprint(sdp, fingerprint string) string {
	line := regexp.MustCompile(`(?m)^a=fingerprint:[^\r\n]*`)
	return line.ReplaceAllLiteralString(sdp, "a=fingerprint:"+fingerprint)
}

// SDP returns the place of the session description in a message; nil where
// there is none.
func SDP(m signaling.Message) *string {
	switch m := m.(type) {
	case *signaling.Offer:
		return &m.SDP
	case *signaling.Answer:
		return &m.SDP
	}
	return nil
}
