package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/nat/netcheck"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

// registration is what became of registering at the signaling service.
type registration struct {
	OK bool `json:"ok"`
	// Enrolled says that the service gives this agent relays.
	Enrolled bool     `json:"enrolled"`
	STUN     []string `json:"stun"`
	// Problem is why something of it did not work. Empty if all did.
	Problem string `json:"problem,omitempty"`

	servers []signaling.ICEServer
}

// introduce registers at a signaling service for a moment and asks what it offers:
// with the agent's key if there is a file keyFile, since relays are for agents that
// the service knows, else with a key that nobody has seen.
func introduce(ctx context.Context, url, keyFile string) *registration {
	r := &registration{STUN: []string{}}
	ctx, cancel := context.WithTimeout(ctx, introduceTime)
	defer cancel()
	id, err := keyOf(keyFile)
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	// Only the last reason counts, and nobody waits for a slow reader.
	states := make(chan error, 1)
	tell := func(err error) {
		select {
		case states <- err:
		default:
		}
	}
	c, err := client.New(client.Options{URL: url, Identity: id, OnState: func(s client.State, err error) {
		switch s {
		case client.StateOnline:
			tell(nil)
		case client.StateWaiting, client.StateDisplaced:
			tell(err)
		default:
		}
	}})
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	running, stop := context.WithCancel(ctx)
	defer stop()
	wg.Go(func() { _ = c.Run(running) })
	select {
	case err = <-states:
	case <-ctx.Done():
		err = errors.New("the signaling service did not answer in time")
	}
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	r.OK = true
	service := c.Service()
	r.STUN, r.Enrolled = append(r.STUN, service.STUN...), service.Relay
	if len(service.STUN) > 0 {
		r.servers = append(r.servers, signaling.ICEServer{URLs: service.STUN})
	}
	if service.Relay {
		relay, err := c.Relay(ctx)
		if err != nil {
			r.Problem = err.Error()
			return r
		}
		r.servers = append(r.servers, relay)
	}
	return r
}

func keyOf(file string) (*identity.Identity, error) {
	if file != "" {
		if _, err := os.Stat(file); err == nil {
			return identity.LoadOrCreate(file)
		}
	}
	return identity.Generate()
}

// explain says what became of it; s is what the service answered to HTTP.
func (r *registration) explain(s *netcheck.SignalReport) []netcheck.Finding {
	switch {
	case r == nil || s.Problem != "" && !r.OK:
		return nil // it has been said
	case !r.OK:
		return []netcheck.Finding{{Level: netcheck.Problem, Topic: "Registration", Text: sentence(r.Problem),
			Advice: "If a proxy is in between, let it pass WebSockets on."}}
	case r.Problem != "":
		return []netcheck.Finding{{Level: netcheck.Problem, Topic: "Registration", Text: "Works, but gives no relay: " + r.Problem + "."}}
	}
	text := "Works."
	if len(r.STUN) > 0 {
		text += " The service offers STUN at " + strings.Join(r.STUN, ", ") + "."
	}
	return []netcheck.Finding{{Level: netcheck.OK, Topic: "Registration", Text: text}}
}
