package attacks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/freeport"
)

// site is an agent with two cameras, "cam" and "garden", and where it is to be found.
// A recorder has "cam" only.
type site struct {
	w        *world
	program  *program
	stateDir string
	list     string // the file of viewers, if there is one
	args     []string

	signal string // "http://host:port" of its signaling server
	base   string // of its own listener
	id     identity.PeerID
}

// siteOptions say what an agent is like. The zero value has a signaling server
// of its own and lets nobody in.
type siteOptions struct {
	allow  []identity.PeerID // on the list of viewers
	signal string            // "http://host:port" of another signaling server
	// stateDir has the agent's key already, with mode 0700.
	stateDir string
	// recorder makes it `sightline nvr`, and bulky its recordings large.
	recorder, bulky bool
}

// site starts an agent and waits until it can be reached.
func (w *world) site(o siteOptions) *site {
	w.Helper()
	listen := freeport.Address(w)
	if o.stateDir == "" {
		o.stateDir = filepath.Join(w.folder(), "state")
	}
	s := &site{w: w, stateDir: o.stateDir, base: "http://" + listen, signal: o.signal}
	picture := w.camera(o.bulky)
	if o.recorder {
		s.args = []string{"nvr", "--dir", filepath.Join(w.folder(), "recordings"), "--min-free", "1MB", "--camera", "cam=" + picture}
	} else {
		s.args = []string{"camera", picture, picture, "--name", "cam", "--name", "garden"}
	}
	s.args = append(s.args, "--state-dir", s.stateDir, "--listen", listen, "--udp", "127.0.0.1:0", "--log-level", "info")
	if o.signal != "" {
		s.args = append(s.args, "--signal", "ws"+strings.TrimPrefix(o.signal, "http"))
	} else {
		s.signal = s.base
	}
	if len(o.allow) > 0 {
		s.list = filepath.Join(w.folder(), "viewers")
		var text strings.Builder
		for _, id := range o.allow {
			fmt.Fprintf(&text, "%s somebody\n", id)
		}
		if err := os.WriteFile(s.list, []byte(text.String()), 0o600); err != nil {
			w.Fatal(err)
		}
		s.args = append(s.args, "--allow", s.list)
	}
	s.run()
	return s
}

// run starts the agent's program, for the first time or again.
func (s *site) run() {
	s.w.Helper()
	s.program = s.w.start("sightline", s.args...)
	ctx, cancel := context.WithTimeout(s.w.ctx, patience)
	defer cancel()
	m, err := s.program.says(ctx, `#peer=([a-z2-7]{52})`)
	if err != nil {
		s.w.Fatal(err)
	}
	s.id = identity.PeerID(m[1])
}

// refused returns a reader of the agent's counter of refusals by a check.
func (s *site) refused(n check.Name) func() (float64, error) {
	return s.w.counter(s.base, fmt.Sprintf("sightline_refused_total{check=%q}", n))
}

// key returns the agent's own key, for attacks that use what it has signed.
func (s *site) key() *identity.Identity {
	s.w.Helper()
	id, err := identity.LoadOrCreate(filepath.Join(s.stateDir, "agent.pem"))
	if err != nil {
		s.w.Fatal(err)
	}
	return id
}

// server is a signaling server without an agent.
type server struct {
	*program
	w    *world
	base string // "http://host:port"
}

// server starts `sightline signal`.
func (w *world) server(args ...string) *server {
	w.Helper()
	p := w.start("sightline", append([]string{"signal", "--listen", "127.0.0.1:0", "--log-level", "info"}, args...)...)
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	m, err := p.says(ctx, `signaling server is at (http://[0-9.:]+)`)
	if err != nil {
		w.Fatal(err)
	}
	return &server{program: p, w: w, base: m[1]}
}

// refused returns a reader of the server's counter of refusals.
func (s *server) refused(reason string) func() (float64, error) {
	return s.w.counter(s.base, fmt.Sprintf("sightline_signaling_refused_total{reason=%q}", reason))
}
