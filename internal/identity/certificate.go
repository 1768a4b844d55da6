package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// selfSigned makes the certificate a peer shows in DTLS. Nobody checks its
// dates or its name: the other side compares the fingerprint, which came in a
// signed message (RFC 8122 §5). So the dates cover every clock a camera may
// wake with, up to "no well-defined expiration" (RFC 5280 §4.1.2.5).
//
// A key in memory makes the same certificate each time (RFC 6979): a viewer that
// has dialled once knows its fingerprint, and can dial again after a restart of
// this peer when no server is there to tell it.
func selfSigned(signer crypto.Signer, id PeerID) (tls.Certificate, error) {
	number := sha256.Sum256([]byte("sightline certificate 1 " + string(id)))
	number[0] = 1 // positive, and never zero
	random := rand.Reader
	if _, ok := signer.(*ecdsa.PrivateKey); ok {
		random = nil // deterministic
	}
	template := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(number[:16]),
		Subject:               pkix.Name{CommonName: string(id)},
		NotBefore:             time.Unix(0, 0).UTC(),
		NotAfter:              time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		SignatureAlgorithm:    x509.ECDSAWithSHA256,
	}
	der, err := x509.CreateCertificate(random, template, template, signer.Public(), signer)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read back: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: signer, Leaf: leaf}, nil
}
