package client_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
	"github.com/sightline-cam/sightline/signaling/server"
)

// ice is a service with a relay for one peer.
type ice struct {
	enrolled identity.PeerID
	stun     []string
}

func (i ice) STUN(string) []string               { return i.stun }
func (i ice) MayRelay(peer identity.PeerID) bool { return peer == i.enrolled }

func (i ice) Relay(now time.Time, peer identity.PeerID, _ string) (signaling.ICEServer, signaling.ErrorCode) {
	if peer != i.enrolled {
		return signaling.ICEServer{}, signaling.CodeForbidden
	}
	return access(now), ""
}

func access(now time.Time) signaling.ICEServer {
	return signaling.ICEServer{URLs: []string{"turn:a.example:3478"}, Username: "1:a", Credential: "b", Expires: now.Unix() + 1}
}

func TestClient_GetsARelayIfItIsEnrolled(t *testing.T) {
	id := newID(t)
	s := startSite(t, server.Options{ICE: ice{enrolled: id.PeerID()}})
	agent, viewer := run(t, s.url(), id, nil), run(t, s.url(), nil, nil)
	agent.wait(client.StateOnline)
	viewer.wait(client.StateOnline)
	if !agent.Service().Relay || viewer.Service().Relay {
		t.Error("who may ask:", agent.Service(), viewer.Service())
	}
	before := time.Now().Unix()
	got, err := agent.Relay(t.Context())
	if err != nil || got.Expires <= before {
		t.Errorf("%+v, %v", got, err)
	}
	if diff := cmp.Diff(access(time.Now()).URLs, got.URLs); diff != "" || got.Credential != "b" {
		t.Errorf("%+v\n%s", got, diff)
	}
	var e *signaling.ServerError
	if _, err := viewer.Relay(t.Context()); !errors.Is(err, client.ErrNoRelay) || !errors.As(err, &e) || e.Code != signaling.CodeForbidden {
		t.Error("a stranger:", err)
	}
}

func TestClient_RelayWaitsNoLongerThanItsContext(t *testing.T) {
	p := newPeer(t, "ws://127.0.0.1:1", nil, nil) // never run
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := p.Relay(ctx); !errors.Is(err, client.ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestClient_SaysWhenTheServiceOffersSomethingElse(t *testing.T) {
	first, second := []string{"stun:a.example:3478"}, []string{"stun:a.example:3478", "stun:a.example:3479"}
	var mu sync.Mutex
	var told [][]string
	s := startSite(t, server.Options{ICE: ice{stun: first}})
	p := run(t, s.url(), nil, func(o *client.Options) {
		o.OnService = func(v client.Service) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, v.STUN)
		}
	})
	p.wait(client.StateOnline)
	s.conns.cut() // the same service: not told again
	p.wait(client.StateWaiting)
	p.wait(client.StateOnline)
	s.stop()
	p.wait(client.StateWaiting)
	if diff := cmp.Diff(first, p.STUN()); diff != "" {
		t.Error("while the server is away:", diff)
	}
	s.start(server.Options{ICE: ice{stun: second}})
	p.wait(client.StateOnline)
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([][]string{first, second}, told); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(second, p.STUN()); diff != "" {
		t.Error(diff)
	}
}
