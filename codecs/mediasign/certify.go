package mediasign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// Certify makes the certificates that a device signs with, for its own key. leaf
// goes into the video. root is what a third party's tool is told to trust: the
// standard wants it outside the video, and refuses a certificate that is its own
// issuer. name is the device's, at most 64 bytes. Both certificates are for signing
// documents only (RFC 9336), and a key in memory makes the same ones each time.
func Certify(key crypto.Signer, name string) (leaf, root []byte, err error) {
	// 1.3.6.1.5.5.7.3.36, id-kp-documentSigning
	documents := []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 36}}
	template := func(unit string) *x509.Certificate {
		serial := sha256.Sum256([]byte("sightline media signing 1 " + unit + " " + name))
		serial[0] = 1 // positive, and never zero
		return &x509.Certificate{
			SerialNumber:          new(big.Int).SetBytes(serial[:16]),
			Subject:               pkix.Name{Organization: []string{manufacturer}, OrganizationalUnit: []string{unit}, CommonName: name},
			NotBefore:             time.Unix(0, 0).UTC(), // whatever the clock of a camera says
			NotAfter:              time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
			KeyUsage:              x509.KeyUsageDigitalSignature,
			UnknownExtKeyUsage:    documents,
			BasicConstraintsValid: true,
			SignatureAlgorithm:    x509.ECDSAWithSHA256,
		}
	}
	random := rand.Reader
	if _, ok := key.(*ecdsa.PrivateKey); ok {
		random = nil // deterministic
	}
	issuer := template("media signing root")
	issuer.IsCA, issuer.MaxPathLenZero, issuer.KeyUsage = true, true, x509.KeyUsageCertSign
	if root, err = x509.CreateCertificate(random, issuer, issuer, key.Public(), key); err != nil {
		return nil, nil, fmt.Errorf("make the root certificate of %s: %w", name, err)
	}
	if leaf, err = x509.CreateCertificate(random, template("media signing"), issuer, key.Public(), key); err != nil {
		return nil, nil, fmt.Errorf("make the certificate of %s: %w", name, err)
	}
	return leaf, root, nil
}

// pemChain returns certificates (DER) as they stand in a message.
func pemChain(chain [][]byte) ([]byte, error) {
	var out []byte
	for i, der := range chain {
		if _, err := x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("read certificate %d of the chain: %w", i+1, err)
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return out, nil
}
