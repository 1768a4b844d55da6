package identity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"
)

// elsewhere is a key that cannot be taken out, as in a secure element.
type elsewhere struct{ key crypto.Signer }

func (e elsewhere) Public() crypto.PublicKey { return e.key.Public() }
func (e elsewhere) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return e.key.Sign(r, digest, o)
}

// broken is a secure element that fails.
type broken struct{ elsewhere }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("element is gone")
}

func TestIdentity_WorksWithAKeyThatStaysElsewhere(t *testing.T) {
	id, err := New(elsewhere{newIdentity(t).Signer()})
	if err != nil {
		t.Fatal(err)
	}
	compact, err := Sign(id, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if _, from, err := Verify(compact); err != nil || from != id.PeerID() {
		t.Fatalf("Verify: %q, %v", from, err)
	}
	if _, err := New(broken{elsewhere{id.Signer()}}); err == nil {
		t.Error("a broken element made an identity")
	}
}

func TestIdentity_CertificateCarriesTheKeyAndEndlessDates(t *testing.T) {
	id := newIdentity(t)
	cert := id.Certificate()
	if got, err := PeerIDOf(cert.Leaf.PublicKey.(*ecdsa.PublicKey)); err != nil || got != id.PeerID() {
		t.Errorf("the certificate's key belongs to %q, %v", got, err)
	}
	if err := cert.Leaf.CheckSignature(cert.Leaf.SignatureAlgorithm, cert.Leaf.RawTBSCertificate, cert.Leaf.Signature); err != nil {
		t.Error("not self-signed:", err)
	}
	for _, now := range []time.Time{time.Unix(0, 0), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)} {
		if now.Before(cert.Leaf.NotBefore) || now.After(cert.Leaf.NotAfter) {
			t.Errorf("not valid at %v", now)
		}
	}
	if again := id.Certificate(); !bytes.Equal(again.Certificate[0], cert.Certificate[0]) {
		t.Error("the certificate changes from call to call")
	}
}

func TestIdentity_CertificateWorksInTLS(t *testing.T) {
	id := newIdentity(t)
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	server := tls.Server(a, &tls.Config{Certificates: []tls.Certificate{id.Certificate()}, MinVersion: tls.VersionTLS12})
	done := make(chan error, 1)
	go func() { done <- server.HandshakeContext(t.Context()) }()
	client := tls.Client(b, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err := client.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := client.ConnectionState().PeerCertificates[0].Raw; !bytes.Equal(got, id.Certificate().Certificate[0]) {
		t.Error("another certificate was shown")
	}
}

func TestIdentity_PrintsItsNameOnly(t *testing.T) {
	id := newIdentity(t)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "id", id)
	printed := log.String() + fmt.Sprintf("%v %s", id, id)
	if !strings.Contains(printed, string(id.PeerID())) || strings.Contains(printed, "PrivateKey") || len(printed) > 300 {
		t.Errorf("printed: %s", printed)
	}
}
