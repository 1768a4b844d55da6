package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// TestServer_HostileClientsGetAnAnswerAndHurtNobody lets each of them do its
// worst beside two honest peers.
func TestServer_HostileClientsGetAnAnswerAndHurtNobody(t *testing.T) {
	const (
		policy  = websocket.StatusPolicyViolation
		tooBig  = websocket.StatusMessageTooBig
		goodJWS = "a.b.c"
	)
	register := func(r *raw, id *identity.Identity, claim identity.PeerID, nonce signaling.Token, host string) {
		r.t.Helper()
		payload := fmt.Sprintf(`{"type":"register","nonce":%q,"host":%q,"id":%q,"resume":""}`, nonce, host, claim)
		jws, err := identity.Sign(id, []byte(payload))
		if err != nil {
			r.t.Fatal(err)
		}
		r.send(&signaling.Register{JWS: jws, Keys: id.KeyStatement()})
	}
	tests := map[string]struct {
		code   signaling.ErrorCode
		status websocket.StatusCode
		attack func(s *site, r *raw, victim identity.PeerID)
	}{
		"not JSON":  {signaling.CodeBadMessage, policy, func(_ *site, r *raw, _ identity.PeerID) { r.write("hello") }},
		"not UTF-8": {signaling.CodeBadMessage, policy, func(_ *site, r *raw, _ identity.PeerID) { r.write("{\"type\":\"\xff\"}") }},
		"deeply nested": {signaling.CodeBadMessage, policy, func(_ *site, r *raw, _ identity.PeerID) {
			r.write(strings.Repeat(`{"type":`, 8000))
		}},
		"unknown type": {signaling.CodeBadMessage, policy, func(_ *site, r *raw, _ identity.PeerID) { r.write(`{"type":"admin"}`) }},
		"the server's": {signaling.CodeBadMessage, policy, func(_ *site, r *raw, v identity.PeerID) { r.send(&signaling.Delivery{From: v, Payload: goodJWS}) }},
		"an extra member": {signaling.CodeBadMessage, policy, func(_ *site, r *raw, _ identity.PeerID) {
			r.write(`{"type":"register","jws":"a.b.c","keys":"a.b.c","from":"x"}`)
		}},
		"binary": {signaling.CodeBadMessage, policy, func(_ *site, r *raw, _ identity.PeerID) {
			if err := r.ws.Write(r.ctx(), websocket.MessageBinary, []byte(`{"type":"register","jws":"a.b.c","keys":"a.b.c"}`)); err != nil {
				r.t.Fatal(err)
			}
		}},
		"oversized": {signaling.CodeTooLarge, tooBig, func(_ *site, r *raw, _ identity.PeerID) {
			r.write(`{"type":"register","jws":"` + strings.Repeat("x", signaling.MaxFrame) + `"}`)
		}},
		"endless": {signaling.CodeTooLarge, tooBig, func(_ *site, r *raw, _ identity.PeerID) {
			w, err := r.ws.Writer(r.ctx(), websocket.MessageText)
			if err != nil {
				r.t.Fatal(err)
			}
			_, _ = io.Copy(w, io.LimitReader(rand.Reader, 200<<10)) // cut short by the server
		}},
		"sends before registering": {signaling.CodeUnauthenticated, policy, func(_ *site, r *raw, v identity.PeerID) {
			r.send(&signaling.Send{To: v, Payload: goodJWS})
		}},
		"a proof that is none": {signaling.CodeUnauthenticated, policy, func(_ *site, r *raw, _ identity.PeerID) { r.send(&signaling.Register{JWS: goodJWS, Keys: goodJWS}) }},
		"claims another's id": {signaling.CodeUnauthenticated, policy, func(_ *site, r *raw, v identity.PeerID) {
			register(r, newID(r.t), v, next[*signaling.Challenge](r).Nonce, r.host)
		}},
		"a proof for another challenge": {signaling.CodeUnauthenticated, policy, func(s *site, r *raw, _ identity.PeerID) {
			id := newID(r.t)
			register(r, id, id.PeerID(), next[*signaling.Challenge](s.dial()).Nonce, r.host)
		}},
		"a proof for another host": {signaling.CodeUnauthenticated, policy, func(_ *site, r *raw, _ identity.PeerID) {
			id := newID(r.t)
			register(r, id, id.PeerID(), next[*signaling.Challenge](r).Nonce, "evil.example.org")
		}},
		"a session message as proof": {signaling.CodeUnauthenticated, policy, func(_ *site, r *raw, v identity.PeerID) {
			id := newID(r.t)
			offer, err := signaling.EncodeMessage(&signaling.Offer{
				Header: signaling.Header{From: id.PeerID(), To: v, Session: signaling.NewToken(signaling.SessionSize), Seq: 1, Exp: time.Now().Unix()},
				Nonce:  signaling.NewToken(signaling.SessionSize), Key: id.AgreementKey(), Grants: []string{}, SDP: "v=0", Media: []signaling.Media{},
			})
			if err != nil {
				r.t.Fatal(err)
			}
			jws, err := identity.Sign(id, offer)
			if err != nil {
				r.t.Fatal(err)
			}
			r.send(&signaling.Register{JWS: jws, Keys: id.KeyStatement()})
		}},
		"registers twice": {signaling.CodeBadMessage, policy, func(_ *site, r *raw, _ identity.PeerID) {
			r.register(newID(r.t), "")
			r.send(&signaling.Register{JWS: goodJWS, Keys: goodJWS})
		}},
		"floods": {signaling.CodeRateLimited, policy, func(_ *site, r *raw, v identity.PeerID) {
			r.register(newID(r.t), "")
			go func() { // the server may stop reading at any time
				data := []byte(`{"type":"send","to":"` + string(newID(r.t).PeerID()) + `","ref":1,"payload":"a.b.c"}`)
				for r.ws.Write(context.Background(), websocket.MessageText, data) == nil {
				}
			}()
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			start(t, Options{Strikes: 10}).besideHonestPeers(tt.code, tt.status, tt.attack)
		})
	}
	t.Run("says nothing", func(t *testing.T) {
		inVirtualTime(t, Options{}, func(_ *testing.T, s *site) {
			s.besideHonestPeers(signaling.CodeUnauthenticated, policy, func(*site, *raw, identity.PeerID) {})
		})
	})
}

// besideHonestPeers lets a client attack, and expects it to be told and ended, and
// everybody else to go on.
func (s *site) besideHonestPeers(code signaling.ErrorCode, status websocket.StatusCode, attack func(s *site, r *raw, victim identity.PeerID)) {
	s.t.Helper()
	alice, aliceID := s.peer()
	bob, bobID := s.peer()
	r := s.dial()
	attack(s, r, bobID.PeerID())
	r.wantEnd(code, status)
	if got := s.metric("errors_total", string(code)); got < 1 {
		s.t.Errorf("the error was counted %v times", got)
	}
	alice.send(&signaling.Send{To: bobID.PeerID(), Payload: "x.y.z"})
	if m := next[*signaling.Delivery](bob); m.From != aliceID.PeerID() || m.Payload != "x.y.z" {
		s.t.Errorf("bob received %+v", m)
	}
	s.counted("registered_peers", 2)
}

func TestServer_AClientThatNeverFinishesClosingIsCutOff(t *testing.T) {
	s := start(t, Options{CloseTimeout: 200 * time.Millisecond})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.host())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", signaling.Path, s.host(), signaling.Subprotocol)
	if err != nil {
		t.Fatal(err)
	}
	// A masked text frame "x", which is refused, then the header of a frame of
	// 2^40 bytes, of which the closing handshake must not wait for the end.
	frames := []byte{0x81, 0x81, 0, 0, 0, 0, 'x', 0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	if _, err := conn.Write(frames); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		t.Fatal("the connection is still open")
	}
	s.counted("connections", 0)
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func TestServer_ASlowReaderIsClosedAndItsMessagesAreHeld(t *testing.T) {
	inVirtualTime(t, Options{OutQueue: 4, HoldMessages: 4, PeerRate: 1e6, PeerBurst: 1e6, AddressRate: 1e6, AddressBurst: 1e6, CloseTimeout: 200 * time.Millisecond}, func(t *testing.T, s *site) {
		slowID := newID(t)
		slow := s.dial()
		slow.register(slowID, "") // and reads no more
		fast, _ := s.peer()
		payload := strings.Repeat("x", 60<<10)
		busy := 0
		for i := int64(1); busy == 0 && i < 2000; i++ {
			fast.send(&signaling.Send{To: slowID.PeerID(), Ref: i, Ack: true, Payload: payload})
			f, err := fast.read()
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := f.(*signaling.ServerError); ok {
				if e.Code != signaling.CodeServerBusy || e.Ref != i {
					t.Fatalf("got %+v", e)
				}
				busy++
			}
		}
		if busy == 0 {
			t.Fatal("the queue is endless")
		}
		s.counted("slow_consumers_total", 1)
		s.counted("connections", 1)
		again := s.dial()
		again.register(slowID, "")
		if m := next[*signaling.Delivery](again); m.Payload != payload {
			t.Error("what waited was lost")
		}
	})
}

func TestServer_LimitsConnections(t *testing.T) {
	s := start(t, Options{MaxConnectionsPerAddress: 2})
	a, b := s.dial(), s.dial()
	if got := dialOnce(s, nil, signaling.Subprotocol); got.status != 429 || got.header.Get("Retry-After") == "" {
		t.Errorf("per address: %+v", got)
	}
	_ = a.ws.CloseNow()
	s.counted("connections", 1)
	c := s.dial()
	for _, r := range []*raw{b, c} {
		r.register(newID(t), "")
	}
	total := start(t, Options{MaxConnections: 1})
	total.dial()
	if got := dialOnce(total, nil, signaling.Subprotocol); got.status != 503 {
		t.Errorf("in total: %+v", got)
	}
	fast := start(t, Options{ConnectRate: 0.001, ConnectBurst: 1})
	fast.dial()
	if got := dialOnce(fast, nil, signaling.Subprotocol); got.status != 429 {
		t.Errorf("too fast: %+v", got)
	}
	if got := fast.metric("refused_total", refusedAddress); got != 1 {
		t.Errorf("counted %v", got)
	}
}

func TestServer_AnOverLimitFrameIsAnsweredAndForgiven(t *testing.T) {
	s := start(t, Options{PeerRate: 1e-9, PeerBurst: 1})
	a, _ := s.peer()
	_, bobID := s.peer()
	for ref := int64(1); ref <= 3; ref++ {
		a.send(&signaling.Send{To: bobID.PeerID(), Ref: ref, Ack: true, Payload: "a.b.c"})
	}
	if f := next[*signaling.Sent](a); f.Ref != 1 {
		t.Errorf("got %+v", f)
	}
	for ref := int64(2); ref <= 3; ref++ {
		if e := next[*signaling.ServerError](a); e.Code != signaling.CodeRateLimited || e.Ref != ref || e.Message == "" {
			t.Errorf("got %+v", e)
		}
	}
	s.counted("errors_total", 2, string(signaling.CodeRateLimited))
}
