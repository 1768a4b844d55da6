package viewer

import (
	"encoding/base64"
	"errors"

	"github.com/sightline-cam/sightline/signaling"
)

// Claim is a secret that makes this viewer the owner of a publisher, or that an
// invite came with.
type Claim struct {
	// Kind says which of the two.
	Kind signaling.Claim
	// Invite is the id of the invite; empty for pairing.
	Invite string
	// Secret is 16 bytes in base64url, good for one use.
	Secret string
	// Name and Device are what the publisher calls this viewer's person and
	// device, at most 64 characters each.
	Name, Device string
}

const secretSize = 16

// secret returns the bytes of the secret. The error does not quote it.
func (c *Claim) secret() ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(c.Secret)
	if err != nil || len(raw) != secretSize {
		return nil, errors.New("its secret is damaged; copy the whole link")
	}
	return raw, nil
}
