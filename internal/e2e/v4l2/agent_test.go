//go:build linux

package v4l2

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/program"
	"github.com/sightline-cam/sightline/internal/lab/vm"
	"github.com/sightline-cam/sightline/viewer"
)

// agent is `sightline camera` in the machine.
type agent struct {
	*program.Program
	w     *world
	state string
	link  string
	owned bool
}

// run says how an agent is started.
type run struct {
	program string // default: encoding
	user    bool   // without any rights
	groups  []uint32
}

// agent starts an agent for cameras, which ends with the test.
func (w *world) agent(t *testing.T, r run, args ...string) *agent {
	t.Helper()
	if r.program == "" {
		r.program = encoding
	}
	w.agents++
	a := &agent{w: w, state: fmt.Sprintf("/tmp/agent-%d", w.agents)}
	address := fmt.Sprintf("%s:%d", vm.Address, 8000+w.agents)
	a.Program = w.Start(t, vm.Command{User: r.user, Groups: r.groups, Env: []string{"HOME=/tmp"}, Args: append([]string{
		r.program, "camera", "--state-dir", a.state, "--listen", address, "--udp", vm.Address + ":0",
		"--no-mdns", "--no-port-map",
	}, args...)})
	a.link = a.WaitFor(t, `https://`+address+`/\S*#peer=\S+`, patience)[0]
	return a
}

// dial opens a session with the agent's cameras; none means the first. It ends with
// the test.
func (a *agent) dial(t *testing.T, cameras ...string) *viewer.Session {
	t.Helper()
	link, err := viewer.ParseLink(a.link)
	if err != nil {
		t.Fatalf("%s: %v", a.link, err)
	}
	// The certificate is the agent's own.
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(a.w.Sh(t, "cat "+a.state+"/tls.pem"))) {
		t.Fatal("the agent has no certificate")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	t.Cleanup(client.CloseIdleConnections)
	o := viewer.Options{SignalURL: link.SignalURL, Peer: link.Peer, Identity: a.w.id, HTTPClient: client, NoAudio: true, Timeout: patience}
	if !a.owned {
		a.pair(t, o)
	}
	o.Cameras = cameras
	s, err := viewer.Dial(t.Context(), o)
	if err != nil {
		t.Fatalf("watch the agent: %v\n%s", err, a.Tail(20))
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// pair makes the one who watches the agent's owner: whoever may only watch is not told
// why a camera is away.
func (a *agent) pair(t *testing.T, o viewer.Options) {
	t.Helper()
	link, err := viewer.ParseLink(strings.TrimSpace(a.w.Sh(t, encoding+" pair --state-dir "+a.state)))
	if err != nil || link.Claim == nil {
		t.Fatalf("the agent shows no link to pair with: %v", err)
	}
	if _, err := viewer.ClaimAccess(t.Context(), o, *link.Claim); err != nil {
		t.Fatalf("pair with the agent: %v\n%s", err, a.Tail(20))
	}
	a.owned = true
}

// status waits until a viewer sees a camera in a state, for a reason that contains
// some words, and returns what it sees.
func status(t *testing.T, s *viewer.Session, id, state string, words ...string) viewer.Camera {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last string
	for {
		cameras, err := s.Cameras(ctx)
		last = fmt.Sprintf("%+v, %v", cameras, err)
		for _, c := range cameras {
			fits := c.State == state && (id == "" || c.ID == id)
			for _, word := range words {
				fits = fits && strings.Contains(c.Reason, word)
			}
			if fits {
				return c
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("a viewer never sees camera %q %s for a reason with %q, but %s", id, state, words, last)
		}
	}
}

// said returns how many lines of the log have some words.
func (a *agent) said(words string) (n int) {
	log, _ := a.Log()
	for line := range strings.Lines(log) {
		if strings.Contains(line, words) {
			n++
		}
	}
	return n
}
