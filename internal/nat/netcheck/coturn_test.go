package netcheck

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/freeport"
	"github.com/sightline-cam/sightline/internal/lab/program"
	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/signaling"
)

// A relay that is not ours, over all three transports, and its answers to RFC
// 5780, on loopback.
func TestCheck_UnderstandsCoturn(t *testing.T) {
	if _, err := exec.LookPath("turnserver"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	const secret = "shared"
	dir := t.TempDir()
	roots := certificate(t, dir)
	server, ports := startCoturn(t, dir, secret)

	user := fmt.Sprintf("%d:doctor", time.Now().Add(time.Hour).Unix())
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(user))
	login := func(credential string, urls ...string) signaling.ICEServer {
		return signaling.ICEServer{URLs: urls, Username: user, Credential: credential}
	}
	good := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	r := Check(t.Context(), Options{
		Servers: []signaling.ICEServer{
			{URLs: []string{fmt.Sprintf("stun:127.0.0.1:%d", ports[0])}},
			login(good, fmt.Sprintf("turn:127.0.0.1:%d", ports[0]), fmt.Sprintf("turn:127.0.0.1:%d?transport=tcp", ports[0]),
				fmt.Sprintf("turns:127.0.0.1:%d", ports[2])),
			login("wrong", fmt.Sprintf("turn:127.0.0.2:%d", ports[0])),
		},
		TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	})
	if f := r.IPv4; f.NAT != No || f.Mapping != certain(nat.EndpointIndependent) || f.Filtering != certain(nat.EndpointIndependent) {
		t.Errorf("loopback is %+v", f)
	}
	for i, l := range r.Relays {
		if want := i < 3; l.Usable != want || l.Relayed.IsValid() != want || !l.Reachable {
			t.Errorf("the relay over %s: %+v", l.Transport, l)
		}
	}
	if t.Failed() {
		t.Log(server.Tail(40))
	}
}

// startCoturn starts a server on loopback and returns its ports: one of plain and
// one of TLS, each with an alternative. Somebody may take one before it does; then
// others are tried.
func startCoturn(t *testing.T, dir, secret string) (*program.Program, []int) {
	t.Helper()
	for range 5 {
		ports := []int{freeport.Get(t), freeport.Get(t), freeport.Get(t), freeport.Get(t)}
		conf := []string{
			fmt.Sprintf("listening-port=%d", ports[0]), fmt.Sprintf("alt-listening-port=%d", ports[1]),
			fmt.Sprintf("tls-listening-port=%d", ports[2]), fmt.Sprintf("alt-tls-listening-port=%d", ports[3]),
			"listening-ip=127.0.0.1", "listening-ip=127.0.0.2", "relay-ip=127.0.0.1", "realm=sightline.test",
			"use-auth-secret", "static-auth-secret=" + secret, "fingerprint", "no-cli", "no-dtls", "log-file=stdout", "simple-log",
			"cert=" + filepath.Join(dir, "cert.pem"), "pkey=" + filepath.Join(dir, "key.pem"),
			"pidfile=" + filepath.Join(dir, "pid"), "userdb=" + filepath.Join(dir, "db"),
		}
		file := filepath.Join(dir, "turnserver.conf")
		if err := os.WriteFile(file, []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		server := program.Start(t, exec.Command("turnserver", "-c", file))
		server.WaitFor(t, `(?i)relay ports initialization done|Total auth threads`, time.Minute)
		// Its threads open their TCP ports when they come to it.
		if accepts(ports[0]) && accepts(ports[2]) {
			return server, ports
		}
		t.Logf("coturn could not open its ports %v", ports)
	}
	t.Fatal("coturn does not start")
	return nil, nil
}

// accepts waits a while for a TCP port to be open.
func accepts(port int) bool {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-again.C {
		c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
		if err == nil {
			_ = c.Close()
			return true
		}
	}
	return false
}

// certificate writes cert.pem and key.pem for 127.0.0.1 and returns what trusts
// them.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: id.Certificate().Leaf.SerialNumber, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(nil, template, template, id.Signer().Public(), id.Signer())
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(id.Signer())
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return roots
}
