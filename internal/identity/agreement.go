package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

// MaxKeyStatement is the longest key statement, in bytes.
const MaxKeyStatement = 1024

// ErrKeyStatement is wrapped by every error about a key statement.
var ErrKeyStatement = errors.New("not a valid key statement")

// AgreementKey is a public key for ECDH on P-256, to which messages are sealed:
// the uncompressed point (SEC 1 §2.3.3, 65 bytes) as unpadded base64url, 87
// characters.
type AgreementKey string

// agreementLen is the length of an AgreementKey.
const agreementLen = 87

// Validate reports whether k is the canonical spelling of a point on the curve.
func (k AgreementKey) Validate() error {
	_, err := k.public()
	return err
}

func (k AgreementKey) public() (*ecdsa.PublicKey, error) {
	if len(k) != agreementLen {
		return nil, fmt.Errorf("%w: an agreement key has %d characters", ErrKey, agreementLen)
	}
	point, err := decodeSegment(string(k))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, ErrKey // not on the curve
	}
	return key, nil
}

// joinPoint makes an uncompressed point of the coordinates of a JWK.
func joinPoint(x, y string) ([]byte, error) {
	point := []byte{4}
	for _, c := range []string{x, y} {
		raw, err := decodeSegment(c)
		if err != nil || len(raw) != 32 {
			return nil, ErrKey
		}
		point = append(point, raw...)
	}
	return point, nil
}

// keyStatement says to which key messages for a peer are to be sealed.
type keyStatement struct {
	Type      string       `json:"type"`
	ID        PeerID       `json:"id"`
	Agreement AgreementKey `json:"agreement"`
}

const keyStatementType = "keys"

// newKeyStatement signs that agreement is the peer's.
func newKeyStatement(i *Identity, agreement AgreementKey) (string, error) {
	payload, err := json.Marshal(keyStatement{Type: keyStatementType, ID: i.id, Agreement: agreement})
	if err != nil {
		return "", fmt.Errorf("encode the key statement: %w", err)
	}
	return Sign(i, payload)
}

// OpenKeyStatement verifies the key statement of a peer and returns the key to
// seal messages with. Whoever passed it on may have kept an old one: then the
// peer cannot read what is sealed, and nobody else can. Errors wrap
// ErrKeyStatement.
func OpenKeyStatement(compact string, of PeerID) (AgreementKey, error) {
	if len(compact) > MaxKeyStatement {
		return "", check.Refused(check.Form, fmt.Errorf("%w: longer than %d bytes", ErrKeyStatement, MaxKeyStatement))
	}
	payload, from, err := Verify(compact)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrKeyStatement, err)
	}
	var s keyStatement
	if err := strictjson.Unmarshal(payload, &s); err != nil || s.Type != keyStatementType {
		return "", check.Refused(check.Form, fmt.Errorf("%w: it says something else", ErrKeyStatement))
	}
	if !check.Off(check.Sender) && (from != of || s.ID != of) {
		return "", check.Refused(check.Sender, fmt.Errorf("%w: it is signed by another peer", ErrKeyStatement))
	}
	if err := s.Agreement.Validate(); err != nil {
		return "", check.Refused(check.Form, fmt.Errorf("%w: %w", ErrKeyStatement, err))
	}
	return s.Agreement, nil
}

func agreementKeyOf(key *ecdsa.PrivateKey) (AgreementKey, error) {
	point, err := uncompressed(&key.PublicKey)
	if err != nil {
		return "", err
	}
	return AgreementKey(base64.RawURLEncoding.EncodeToString(point)), nil
}
