package relay

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"github.com/sightline-cam/sightline/internal/lab/freeport"
	"github.com/sightline-cam/sightline/internal/lab/program"
	"github.com/sightline-cam/sightline/signaling"
)

// TestCredentials_AreAcceptedByCoturn lets the TURN server that most operators
// have take the place of ours.
func TestCredentials_AreAcceptedByCoturn(t *testing.T) {
	if _, err := exec.LookPath("turnserver"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	secret := testSecret(t)
	port := freeport.Get(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "turnserver.conf")
	lines := []string{
		"listening-ip=127.0.0.1", "relay-ip=127.0.0.1", fmt.Sprintf("listening-port=%d", port), "allow-loopback-peers",
		"use-auth-secret", "static-auth-secret=" + secret.text, "realm=sightline.example", "no-cli", "no-tls", "no-dtls",
		"log-file=stdout", "simple-log", "pidfile=" + filepath.Join(dir, "pid"), "userdb=" + filepath.Join(dir, "db"),
	}
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	coturn := program.Start(t, exec.Command("turnserver", "-c", config))
	at := fmt.Sprintf("127.0.0.1:%d", port)
	waitForTURN(t, coturn, at)
	d := Directory{TURNURLs: []string{"turn:" + at}, Secret: secret, Agents: AnyAgent(), TTL: time.Hour}
	access, code := d.Relay(time.Now(), newAgent(t), "a.example")
	if code != "" {
		t.Fatal(code)
	}
	for name, conn := range map[string]func() net.PacketConn{
		"UDP": func() net.PacketConn { return listen(t) },
		"TCP": func() net.PacketConn { return turn.NewSTUNConn(dialTCP(t, at)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, conn(), at, access)
			exchange(t, allocate(t, c), peer(t), 5)
		})
	}
	for name, bad := range map[string]signaling.ICEServer{
		"an expired credential": secret.Credential(access.URLs, newAgent(t), time.Now().Add(-time.Hour)),
		"another secret":        NewSecret().Credential(access.URLs, newAgent(t), time.Now().Add(time.Hour)),
	} {
		if _, err := dial(t, listen(t), at, bad).Allocate(); err == nil {
			t.Error(name, "is accepted")
		}
	}
}

// waitForTURN waits until a server listens over TCP and answers over UDP. What it prints
// before that says only that it is about to.
func waitForTURN(t *testing.T, p *program.Program, at string) {
	t.Helper()
	server, err := net.ResolveUDPAddr("udp4", at)
	if err != nil {
		t.Fatal(err)
	}
	c := peer(t)
	answered := make(chan error, 1)
	go func() {
		_, _, err := c.ReadFrom(make([]byte, mtu))
		answered <- err
	}()
	request := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for overTCP, overUDP := false, false; !overTCP || !overUDP; {
		if _, err := c.WriteTo(request.Raw, server); err != nil {
			t.Fatal(err)
		}
		if l, err := (&net.Dialer{}).DialContext(t.Context(), "tcp4", at); err == nil {
			overTCP = true
			_ = l.Close()
		}
		select {
		case err := <-answered:
			if overUDP = true; err != nil {
				t.Fatal("no answer:", err)
			}
		case <-p.Done():
			t.Fatal("it has ended")
		case <-again.C:
		}
	}
}
