package identity

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
)

// PeerIDLen is the length of a PeerID in characters.
const PeerIDLen = 52

// maxTypedPeerID bounds what ParsePeerID looks at: an id with separators and
// some blanks around it.
const maxTypedPeerID = 2 * PeerIDLen

const base32Lower = "abcdefghijklmnopqrstuvwxyz234567"

// ErrPeerID is wrapped by every error about a malformed PeerID.
var ErrPeerID = errors.New("not a peer id")

// PeerID names a peer by its public key: the lower-case, unpadded base32
// (RFC 4648 §6) of the SHA-256 of the key as an uncompressed point (SEC 1
// §2.3.3, 65 bytes). 52 characters, exactly one spelling per key.
type PeerID string

// PeerIDOf computes the PeerID of a public key. A key on another curve than
// P-256, or a point that is not on it, is an error.
func PeerIDOf(pub *ecdsa.PublicKey) (PeerID, error) {
	point, err := uncompressed(pub)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(point)
	return PeerID(encoding().EncodeToString(sum[:])), nil
}

// ParsePeerID reads what a person typed or pasted: either case, groups
// separated by hyphens or blanks. Messages use Validate, which accepts the one
// canonical spelling only.
func ParsePeerID(s string) (PeerID, error) {
	if len(s) > maxTypedPeerID {
		return "", fmt.Errorf("%w: longer than %d characters", ErrPeerID, maxTypedPeerID)
	}
	id := PeerID(strings.ToLower(strings.Map(dropSeparators, s)))
	if err := id.Validate(); err != nil {
		return "", err
	}
	return id, nil
}

func dropSeparators(r rune) rune {
	switch r {
	case '-', ' ', '\t', '\r', '\n':
		return -1
	}
	return r
}

// Validate reports whether p is the canonical spelling of some PeerID.
func (p PeerID) Validate() error {
	if len(p) != PeerIDLen {
		return fmt.Errorf("%w: %d characters instead of %d", ErrPeerID, len(p), PeerIDLen)
	}
	sum, err := encoding().DecodeString(string(p))
	if err != nil {
		return fmt.Errorf("%w: only a-z and 2-7 may appear in it", ErrPeerID)
	}
	// The last character carries one bit; the decoder ignores the other four.
	if encoding().EncodeToString(sum) != string(p) {
		return fmt.Errorf("%w: the last character is wrong", ErrPeerID)
	}
	return nil
}

// Grouped returns the id in groups of four, "abcd-efgh-…", for people to read
// and compare. ParsePeerID accepts it.
func (p PeerID) Grouped() string {
	var b strings.Builder
	for i, r := range string(p) {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Short returns the first eight characters, for log lines and lists. It is no
// proof of anything.
func (p PeerID) Short() string {
	return string(p[:min(len(p), 8)])
}

func encoding() *base32.Encoding {
	return base32.NewEncoding(base32Lower).WithPadding(base32.NoPadding)
}
