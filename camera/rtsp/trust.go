package rtsp

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// trust decides about a camera's certificate. Most cameras have one they
// signed themselves, so the decision is made here, where the fingerprint can
// be named, and not in the TLS library.
type trust struct {
	addr        *address
	fingerprint string // lower-case hexadecimal; empty without a pin
	insecure    bool
	roots       *x509.CertPool
}

func newTrust(a *address, o Options) (*trust, error) {
	pin := strings.ToLower(strings.ReplaceAll(o.Fingerprint, ":", ""))
	if pin != "" {
		if b, err := hex.DecodeString(pin); err != nil || len(b) != sha256.Size {
			return nil, errors.New("the certificate fingerprint is not a SHA-256 in hexadecimal (64 digits, colons allowed)")
		}
	}
	return &trust{addr: a, fingerprint: pin, insecure: o.Insecure, roots: o.Roots}, nil
}

func (t *trust) config() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // verify does it, and can say what to do
		VerifyConnection:   t.verify,
	}
}

// verify implements tls.Config.VerifyConnection.
func (t *trust) verify(state tls.ConnectionState) error {
	leaf := state.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	seen := hex.EncodeToString(sum[:])
	switch {
	case t.fingerprint != "":
		if seen != t.fingerprint {
			return t.addr.errorf(TLSFailed, "the certificate of %s is not the one expected: its SHA-256 fingerprint is %s; "+
				"if the camera was replaced or reset, pin the new one, otherwise someone is in between", t.addr.host(), seen)
		}
		return nil
	case t.insecure:
		return nil
	}
	chain := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		chain.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: t.roots, Intermediates: chain, DNSName: t.addr.url.Hostname(), CurrentTime: time.Now()})
	if err == nil {
		return nil
	}
	why := "is not from a trusted authority"
	if errors.As(err, new(x509.HostnameError)) {
		why = "is for another host name"
	} else if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		why = "has expired or is not valid yet (check the camera's clock)"
	}
	return t.addr.errorf(TLSFailed, "the certificate of %s %s; cameras usually sign their own: "+
		"compare the SHA-256 fingerprint %s with the one the camera shows and pin it", t.addr.host(), why, seen)
}
