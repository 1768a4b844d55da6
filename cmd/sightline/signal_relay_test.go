package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/tlsfile"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

// TestSignal_GivesEnrolledAgentsARelayThatWorks asks the real program for a relay
// and sends a packet through each of the three ways to it.
func TestSignal_GivesEnrolledAgentsARelayThatWorks(t *testing.T) {
	dir := t.TempDir()
	_, err := tlsfile.OpenOwn(tlsfile.OwnOptions{File: filepath.Join(dir, "tls.pem")})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(filepath.Join(dir, "tls.pem"))
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate", err)
	}
	agent, stranger := newIdentity(t), newIdentity(t)
	agents := filepath.Join(dir, "agents.txt")
	if err := os.WriteFile(agents, []byte(string(agent.PeerID())+" front door\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startSignal(t, "--state-dir", filepath.Join(dir, "state"), "--tls-cert", filepath.Join(dir, "tls.pem"), "--tls-key", filepath.Join(dir, "tls.pem"),
		"--stun", "127.0.0.1:0", "--turn", "--turn-tls", "127.0.0.1:0", "--turn-agents", agents, "--turn-allow", "127.0.0.0/8")
	t.Cleanup(func() { p.stop(t, syscall.SIGTERM) }) // after the clients
	browse := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}

	a := register(t, p.base, agent, browse)
	b := register(t, p.base, stranger, browse)
	if !a.Service().Relay || b.Service().Relay || len(a.STUN()) != 2 {
		t.Errorf("told %+v and %+v", a.Service(), b.Service())
	}
	if _, err := b.Relay(t.Context()); err == nil {
		t.Error("a stranger got a relay")
	}
	access, err := a.Relay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if until := time.Until(time.Unix(access.Expires, 0)); until < 11*time.Hour || until > 12*time.Hour || len(access.URLs) != 3 {
		t.Errorf("%+v", access)
	}
	for _, u := range access.URLs {
		relayThrough(t, u, access, roots)
	}
	secret, err := os.Stat(filepath.Join(dir, "state", "turn-secret"))
	if err != nil || secret.Mode().Perm() != 0o600 {
		t.Error("the secret:", secret, err)
	}
}

func newIdentity(t *testing.T) *identity.Identity {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// startSignal starts the program and waits until it listens.
func startSignal(t *testing.T, args ...string) *process {
	t.Helper()
	c := exec.CommandContext(context.WithoutCancel(t.Context()), "sightline", append([]string{"signal", "--listen", "127.0.0.1:0"}, args...)...)
	log := &lockedBuffer{}
	c.Stderr = log
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatal("it says nothing", log)
	}
	_, base, _ := strings.Cut(lines.Text(), " at ")
	return &process{cmd: c, base: base, output: log}
}

// register keeps a peer registered until the test ends.
func register(t *testing.T, base string, id *identity.Identity, by *http.Client) *client.Client {
	t.Helper()
	online := make(chan struct{})
	tell := sync.OnceFunc(func() { close(online) })
	c, err := client.New(client.Options{URL: base, Identity: id, HTTPClient: by, OnState: func(s client.State, err error) {
		if s == client.StateOnline {
			tell()
		}
		if s == client.StateWaiting {
			t.Log("not registered yet:", err) // a busy machine may have been too slow
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	select {
	case <-online:
	case <-time.After(patience):
		t.Fatal("not registered")
	}
	return c
}

// relayThrough sends a packet through a relay and back.
func relayThrough(t *testing.T, url string, access signaling.ICEServer, roots *x509.CertPool) {
	t.Helper()
	uri, err := stun.ParseURI(url)
	if err != nil {
		t.Fatal(err)
	}
	at := net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port))
	var conn net.PacketConn
	switch {
	case uri.Proto == stun.ProtoTypeUDP:
		conn, err = net.ListenPacket("udp4", "127.0.0.1:0")
	case uri.IsSecure():
		var c net.Conn
		c, err = tls.Dial("tcp", at, &tls.Config{RootCAs: roots, ServerName: "localhost"})
		conn = turn.NewSTUNConn(c)
	default:
		var c net.Conn
		c, err = net.Dial("tcp", at)
		conn = turn.NewSTUNConn(c)
	}
	if err != nil {
		t.Fatal(url, err)
	}
	defer conn.Close()
	c, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: at, Username: access.Username, Password: access.Credential, Conn: conn, LoggerFactory: logging.NewDefaultLoggerFactory(),
	})
	if err != nil {
		t.Fatal(url, err)
	}
	defer c.Close()
	if err := c.Listen(); err != nil {
		t.Fatal(url, err)
	}
	relayed, err := c.Allocate()
	if err != nil {
		t.Fatal(url, err)
	}
	defer relayed.Close()
	far, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	deadline := time.Now().Add(patience)
	if err := errors.Join(far.SetDeadline(deadline), relayed.SetReadDeadline(deadline)); err != nil {
		t.Fatal(err)
	}
	if _, err := relayed.WriteTo([]byte("there"), far.LocalAddr()); err != nil {
		t.Fatal(url, err)
	}
	buffer := make([]byte, 100)
	n, from, err := far.ReadFrom(buffer)
	if err != nil || string(buffer[:n]) != "there" || from.String() != relayed.LocalAddr().String() {
		t.Fatalf("%s: %q from %v, %v", url, buffer[:n], from, err)
	}
	if _, err := far.WriteTo([]byte("and back"), from); err != nil {
		t.Fatal(url, err)
	}
	if n, _, err := relayed.ReadFrom(buffer); err != nil || string(buffer[:n]) != "and back" {
		t.Fatalf("%s: %q, %v", url, buffer[:n], err)
	}
}
