package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"fmt"
)

// Identity is a peer's own key. It is immutable and safe for concurrent use if
// its signer is.
type Identity struct {
	// constant after New
	signer crypto.Signer
	public *ecdsa.PublicKey
	id     PeerID
	did    string
	cert   tls.Certificate

	agreement    *ecdsa.PrivateKey // for ECDH; made anew at every start and kept nowhere
	agreementKey AgreementKey
	statement    string // signed: agreementKey is ours
}

// New makes an identity of a signer that holds a P-256 key: a private key in
// memory, or a secure element. It signs twice: the certificate, and which key
// messages are to be sealed with until the process ends.
func New(signer crypto.Signer) (*Identity, error) {
	public, ok := signer.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, ErrKey
	}
	id, err := PeerIDOf(public)
	if err != nil {
		return nil, err
	}
	did, err := DIDKey(public)
	if err != nil {
		return nil, err
	}
	cert, err := selfSigned(signer, id)
	if err != nil {
		return nil, fmt.Errorf("make the identity's certificate: %w", err)
	}
	i := &Identity{signer: signer, public: public, id: id, did: did, cert: cert}
	// A signer need not be able to do ECDH, and a key that dies with the process
	// keeps what was sealed to it secret for good.
	if i.agreement, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("generate an agreement key: %w", err)
	}
	if i.agreementKey, err = agreementKeyOf(i.agreement); err != nil {
		return nil, err
	}
	if i.statement, err = newKeyStatement(i, i.agreementKey); err != nil {
		return nil, err
	}
	return i, nil
}

// Generate makes an identity that lives in memory only.
func Generate() (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate an identity key: %w", err)
	}
	return New(key)
}

// PeerID returns the peer's name.
func (i *Identity) PeerID() PeerID { return i.id }

// DIDKey returns the did:key form of the public key.
func (i *Identity) DIDKey() string { return i.did }

// Signer returns the private key for signing. Nothing this module signs with it
// can be mistaken for another kind of signature: see invariant 6 of
// docs/design/identity.md before adding one.
func (i *Identity) Signer() crypto.Signer { return i.signer }

// Certificate returns the self-signed X.509 certificate of the key, for DTLS.
// It is made once per Identity: the fingerprint stays the same until the
// process ends, and differs after it (ECDSA signatures are randomized).
func (i *Identity) Certificate() tls.Certificate { return i.cert }

// AgreementKey returns the key that messages for this peer are sealed with. It
// lives in memory only and differs after a restart.
func (i *Identity) AgreementKey() AgreementKey { return i.agreementKey }

// KeyStatement returns the JWS by which the identity says which AgreementKey it
// has.
func (i *Identity) KeyStatement() string { return i.statement }

// String names the peer. It keeps the key out of logs that print the value.
func (i *Identity) String() string { return string(i.id) }
