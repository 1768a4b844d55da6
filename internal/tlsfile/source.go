package tlsfile

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Source is where a listener's certificate comes from: an Own or a Files.
type Source interface {
	// GetCertificate is for tls.Config. It looks for a newer certificate first.
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Names returns the host names that the certificate is for, without
	// wildcards and addresses.
	Names() []string
	// Fingerprint returns the SHA-256 of the certificate as browsers show it:
	// upper-case hex in pairs with colons between.
	Fingerprint() string
}

// Config returns the TLS configuration of a listener for HTTP/1.1, which is
// what WebSockets need.
func Config(s Source) *tls.Config {
	return &tls.Config{GetCertificate: s.GetCertificate, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
}

// errOther says that somebody else answered at our own address.
var errOther = errors.New("the server at this address has another certificate than this process")

// Client returns an HTTP client that talks to a server with the certificate of
// s and to no other, whatever names and authorities say: for a process that
// dials itself. It uses no proxy.
func Client(s Source) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: true, //nolint:gosec // VerifyConnection compares the whole certificate
			VerifyConnection: func(c tls.ConnectionState) error {
				ours, err := s.GetCertificate(nil)
				if err != nil {
					return err
				}
				if len(c.PeerCertificates) == 0 || !bytes.Equal(c.PeerCertificates[0].Raw, ours.Certificate[0]) {
					return errOther
				}
				return nil
			},
		},
	}}
}

// fingerprint returns the SHA-256 of a certificate in DER.
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":")
}
