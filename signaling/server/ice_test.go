package server

import (
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// oneICE has a relay for one peer.
type oneICE struct{ enrolled identity.PeerID }

func (o oneICE) STUN(host string) []string          { return []string{"stun:" + host + ":3478"} }
func (o oneICE) MayRelay(peer identity.PeerID) bool { return peer == o.enrolled }
func (o oneICE) access(host string) signaling.ICEServer {
	return signaling.ICEServer{URLs: []string{"turn:" + host + ":3478"}, Username: "1:a", Credential: "b", Expires: 1}
}

func (o oneICE) Relay(_ time.Time, peer identity.PeerID, host string) (signaling.ICEServer, signaling.ErrorCode) {
	if peer != o.enrolled {
		return signaling.ICEServer{}, signaling.CodeForbidden
	}
	return o.access(host), ""
}

func TestServer_TellsOfItsSTUNServersAndGivesEnrolledPeersARelay(t *testing.T) {
	ice := oneICE{enrolled: newID(t).PeerID()}
	agent := newID(t)
	ice.enrolled = agent.PeerID()
	s := start(t, Options{ICE: ice})

	a := s.dial()
	got := a.register(agent, "")
	if diff := cmp.Diff([]string{"stun:127.0.0.1:3478"}, got.STUN); diff != "" || !got.Relay {
		t.Errorf("%+v\n%s", got, diff)
	}
	a.send(&signaling.RelayRequest{Ref: 9})
	want := &signaling.RelayAnswer{Type: "relay", Ref: 9, ICE: ice.access("127.0.0.1")}
	if diff := cmp.Diff(want, next[*signaling.RelayAnswer](a)); diff != "" {
		t.Error(diff)
	}

	b := s.dial()
	if got := b.register(newID(t), ""); got.Relay {
		t.Errorf("%+v", got)
	}
	b.send(&signaling.RelayRequest{Ref: 9})
	if e := next[*signaling.ServerError](b); e.Code != signaling.CodeForbidden || e.Ref != 9 || e.Message == "" {
		t.Errorf("got %+v", e)
	}
	if n := s.metric("frames_total", string(signaling.FrameRelay)); n != 2 {
		t.Errorf("counted %v requests", n)
	}
}

func TestServer_WithoutARelaySaysSo(t *testing.T) {
	s := start(t, Options{PeerRate: 1e-9, PeerBurst: 1})
	a := s.dial()
	if got := a.register(newID(t), ""); len(got.STUN) != 0 || got.Relay {
		t.Errorf("%+v", got)
	}
	for _, code := range []signaling.ErrorCode{signaling.CodeUnsupported, signaling.CodeRateLimited} {
		a.send(&signaling.RelayRequest{Ref: 4})
		if e := next[*signaling.ServerError](a); e.Code != code || e.Ref != 4 {
			t.Errorf("got %+v, want %s", e, code)
		}
	}
}

func TestServer_RefusesRelayFramesOutOfPlace(t *testing.T) {
	s := start(t, Options{ICE: oneICE{}})
	r := s.dial()
	r.send(&signaling.RelayRequest{Ref: 1})
	r.wantEnd(signaling.CodeUnauthenticated, websocket.StatusPolicyViolation)
	r, _ = s.peer()
	r.send(&signaling.RelayAnswer{Ref: 1, ICE: oneICE{}.access("a")})
	r.wantEnd(signaling.CodeBadMessage, websocket.StatusPolicyViolation)
}
