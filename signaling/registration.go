package signaling

import (
	"fmt"
	"strings"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

// typeRegister keeps a registration from being taken for a session message and
// the other way round: both are signed by the same key.
const typeRegister = "register"

// Registration is what a client signs to prove that it holds its key, here and
// now, to this one server.
type Registration struct {
	// Type is "register"; SignRegistration fills it in.
	Type string `json:"type"`
	// Nonce is the server's challenge.
	Nonce Token `json:"nonce"`
	// Host is the server's name as the client dialled it, canonical (see
	// CanonicalHost): a server cannot use the proof at another.
	Host string `json:"host"`
	// ID is the client.
	ID identity.PeerID `json:"id"`
	// Resume is the token of a lost connection, or "".
	Resume Token `json:"resume"`
}

// SignRegistration answers a challenge. host is CanonicalHost of what was
// dialled, resume the token of the last connection or "".
func SignRegistration(id *identity.Identity, nonce Token, host string, resume Token) (string, error) {
	r := &Registration{Type: typeRegister, Nonce: nonce, Host: host, ID: id.PeerID(), Resume: resume}
	if err := r.validate(); err != nil {
		return "", err
	}
	payload, err := marshal(r)
	if err != nil {
		return "", err
	}
	compact, err := identity.Sign(id, payload)
	if err != nil {
		return "", fmt.Errorf("sign the registration: %w", err)
	}
	return compact, nil
}

// VerifyRegistration checks a registration against the challenge that this
// connection was given and the canonical host it was opened to. Errors wrap
// identity.ErrNotVerified, ErrMessage, ErrSender or ErrNotForMe.
func VerifyRegistration(compact string, nonce Token, host string) (*Registration, error) {
	payload, signer, err := identity.Verify(compact)
	if err != nil {
		return nil, fmt.Errorf("verify a registration: %w", err)
	}
	var r Registration
	if err := strictjson.Unmarshal(payload, &r); err != nil {
		return nil, fmt.Errorf("%w: registration: %w", ErrMessage, err)
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	if check.Off(check.Registration) {
		return &r, nil
	}
	switch {
	case r.ID != signer:
		err = ErrSender
	case r.Nonce != nonce:
		err = fmt.Errorf("%w: it answers another challenge", ErrNotForMe)
	case r.Host != host:
		err = fmt.Errorf("%w: it is meant for another host", ErrNotForMe)
	default:
		return &r, nil
	}
	return nil, check.Refused(check.Registration, err)
}

func (r *Registration) validate() error {
	if r.Type != typeRegister {
		return fmt.Errorf("%w: not a registration", ErrMessage)
	}
	if err := r.Nonce.check("nonce", ChallengeSize); err != nil {
		return err
	}
	if err := r.ID.Validate(); err != nil {
		return fmt.Errorf("%w: id: %w", ErrMessage, err)
	}
	if r.Host == "" || len(r.Host) > MaxHost || r.Host != CanonicalHost(r.Host) {
		return fmt.Errorf("%w: the host is not canonical", ErrMessage)
	}
	if r.Resume == "" {
		return nil
	}
	return r.Resume.check("resume", ResumeSize)
}

// CanonicalHost returns the one spelling of a "host" or "host:port": lower
// case, without a final dot, without the ports 80 and 443. It is what a
// browser's URL.host gives for the schemes' own ports, and a server behind a
// TLS proxy does not know which of the two was dialled.
func CanonicalHost(host string) string {
	host = strings.ToLower(host)
	for _, port := range []string{":80", ":443"} {
		// Not the end of a bare IPv6 address: those are in brackets here.
		if name, ok := strings.CutSuffix(host, port); ok && (!strings.Contains(name, ":") || strings.HasSuffix(name, "]")) {
			host = name
			break
		}
	}
	return strings.TrimSuffix(host, ".")
}
