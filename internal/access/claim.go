package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"

	"github.com/sightline-cam/sightline/internal/identity"
)

// The kinds of claims, and the two sides of one.
const (
	ClaimPair   = "pair"
	ClaimInvite = "invite"

	SideViewer    = "viewer"
	SidePublisher = "publisher"
)

// ClaimProof proves that a side of a session knows a secret, to the other side
// of that very session and to nobody else: base64url of HMAC-SHA256 by the
// secret over kind, side, transcript, viewer and publisher. The transcript names
// the offer and the answer with their DTLS fingerprints, so whoever sits between
// two sessions has a proof for the wrong one.
func ClaimProof(secret []byte, kind, side, transcript string, viewer, publisher identity.PeerID) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(strings.Join([]string{
		"sightline-claim-v1", side, kind, transcript, string(viewer), string(publisher),
	}, "\n"))) // never fails
	return encode(mac.Sum(nil))
}

// EqualProofs compares two proofs, or two commitments, in constant time.
func EqualProofs(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// ParseSecret returns the bytes of a secret as links carry it: a token of
// TokenSize bytes. The error says nothing of it.
func ParseSecret(secret string) ([]byte, error) {
	raw, err := decode(secret, TokenSize)
	if err != nil {
		return nil, fmt.Errorf("%w: the secret is damaged; copy the whole link", ErrToken)
	}
	return raw, nil
}

// CommitOf returns what an invite says of its secret: the token of the SHA-256
// of its bytes.
func CommitOf(secret []byte) string { return HashOf(string(secret)) }
