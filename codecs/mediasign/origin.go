package mediasign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/sightline-cam/sightline/codecs/nal"
)

// maxCertificates bounds a chain.
const maxCertificates = 5

// Origin is who signed.
type Origin struct {
	// Chain holds the certificates that came with the video, the signer's first.
	// Whether they are to be trusted is for the caller to say.
	Chain []*x509.Certificate
	// Vendor is what the newest message says of the device.
	Vendor Vendor
}

// Key returns the signer's public key, DER (RFC 5280 §4.1.2.7). Equal keys have
// equal bytes.
func (o *Origin) Key() []byte { return o.Chain[0].RawSubjectPublicKeyInfo }

func (o *Origin) sameKey(other *Origin) bool { return bytes.Equal(o.Key(), other.Key()) }

// parseChain reads the certificates of a message.
func parseChain(text []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if len(chain) == maxCertificates {
			return nil, fmt.Errorf("read the certificates: more than %d: %w", maxCertificates, nal.ErrMalformed)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read certificate %d: %w: %w", len(chain)+1, err, nal.ErrMalformed)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("read the certificates: there is none: %w", nal.ErrMalformed)
	}
	return chain, nil
}

// errSignature says that a signature is not that of the key.
var errSignature = errors.New("the signature does not fit")

// verify checks a signature over a SHA-256 digest. EC keys sign by ECDSA, RSA keys
// by PSS.
func verify(c *x509.Certificate, digest [hashSize]byte, signature []byte) error {
	ok := false
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(key, digest[:], signature)
	case *rsa.PublicKey:
		ok = rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, nil) == nil
	default:
		return fmt.Errorf("keys of the kind %v are not supported: %w", c.PublicKeyAlgorithm, errSignature)
	}
	if !ok {
		return errSignature
	}
	return nil
}
