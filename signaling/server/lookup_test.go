package server

import (
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

func TestServer_HandsOutTheStatementOfARegistration(t *testing.T) {
	s := start(t, Options{})
	a, _ := s.peer()
	b, bID := s.peer()
	ask := func(want string) {
		t.Helper()
		a.send(&signaling.Lookup{To: bID.PeerID(), Ref: 5})
		got := next[*signaling.Keys](a)
		if diff := cmp.Diff(&signaling.Keys{Type: "keys", Of: bID.PeerID(), Ref: 5, Keys: want}, got); diff != "" {
			t.Error(diff)
		}
	}
	ask(bID.KeyStatement())
	_ = b.ws.CloseNow() // no farewell: it is expected back
	s.counted("registered_peers", 1)
	ask(bID.KeyStatement())

	// Started again, with the same key and another statement.
	again := s.dial()
	c := next[*signaling.Challenge](again)
	jws, err := signaling.SignRegistration(bID, c.Nonce, again.host, "")
	if err != nil {
		t.Fatal(err)
	}
	again.send(&signaling.Register{JWS: jws, Keys: "another.key.statement"})
	next[*signaling.Registered](again)
	ask("another.key.statement")
	if got := s.metric("frames_total", string(signaling.FrameLookup)); got != 3 {
		t.Errorf("counted %v lookups", got)
	}
}

func TestServer_AnswersALookupRightBehindTheRegistration(t *testing.T) {
	s := start(t, Options{})
	_, bID := s.peer()
	a, aID := s.dial(), newID(t)
	c := next[*signaling.Challenge](a)
	jws, err := signaling.SignRegistration(aID, c.Nonce, a.host, "")
	if err != nil {
		t.Fatal(err)
	}
	a.send(&signaling.Register{JWS: jws, Keys: aID.KeyStatement()})
	a.send(&signaling.Lookup{To: bID.PeerID(), Ref: 1})
	next[*signaling.Registered](a)
	if k := next[*signaling.Keys](a); k.Keys != bID.KeyStatement() {
		t.Errorf("got %+v", k)
	}
}

func TestServer_ALookupTellsUnknownFromOfflineAsLittleAsASend(t *testing.T) {
	s := start(t, Options{})
	a, _ := s.peer()
	gone, goneID := s.peer()
	if err := gone.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	s.counted("registered_peers", 1)
	var answers []signaling.ServerError
	for _, to := range []identity.PeerID{newID(t).PeerID(), goneID.PeerID()} {
		a.send(&signaling.Lookup{To: to, Ref: 7})
		answers = append(answers, *next[*signaling.ServerError](a))
		a.send(&signaling.Send{To: to, Ref: 7, Payload: "a.b.c"})
		answers = append(answers, *next[*signaling.ServerError](a))
	}
	for _, got := range answers {
		if diff := cmp.Diff(answers[0], got); diff != "" || got.Code != signaling.CodeUnreachable || got.Ref != 7 {
			t.Errorf("%+v\n%s", got, diff)
		}
	}
}

func TestServer_LookupsCountAsSends(t *testing.T) {
	s := start(t, Options{PeerRate: 1e-9, PeerBurst: 2})
	a, _ := s.peer()
	_, bID := s.peer()
	a.send(&signaling.Lookup{To: bID.PeerID(), Ref: 1})
	next[*signaling.Keys](a)
	a.send(&signaling.Send{To: bID.PeerID(), Ref: 2, Ack: true, Payload: "a.b.c"})
	next[*signaling.Sent](a)
	a.send(&signaling.Lookup{To: bID.PeerID(), Ref: 3})
	if e := next[*signaling.ServerError](a); e.Code != signaling.CodeRateLimited || e.Ref != 3 {
		t.Errorf("got %+v", e)
	}
}

func TestServer_ARegistrationBringsAStatementAndALookupNeedsOne(t *testing.T) {
	s := start(t, Options{})
	for frame, code := range map[string]signaling.ErrorCode{
		`{"type":"register","jws":"a.b.c"}`:                                  signaling.CodeBadMessage,
		`{"type":"register","jws":"a.b.c","keys":""}`:                        signaling.CodeBadMessage,
		`{"type":"lookup","to":"` + string(newID(t).PeerID()) + `","ref":1}`: signaling.CodeUnauthenticated,
	} {
		r := s.dial()
		r.write(frame)
		r.wantEnd(code, websocket.StatusPolicyViolation)
	}
}

// TestServer_WaitsForWhoeverAsksFasterThanItReads asks for much more than the
// queue holds before it reads anything.
func TestServer_WaitsForWhoeverAsksFasterThanItReads(t *testing.T) {
	s := start(t, Options{PeerRate: 1e6, PeerBurst: 1e6, AddressRate: 1e6, AddressBurst: 1e6, OutQueue: 4, HoldMessages: 4})
	a, aID := s.peer()
	const n = 2000
	written := make(chan error, 1)
	go func() {
		for ref := range int64(n) {
			data, err := signaling.EncodeFrame(&signaling.Lookup{To: aID.PeerID(), Ref: ref})
			if err == nil {
				err = a.ws.Write(a.ctx(), websocket.MessageText, data)
			}
			if err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	for ref := range int64(n) {
		if k := next[*signaling.Keys](a); k.Ref != ref {
			t.Fatalf("answer %d to lookup %d", k.Ref, ref)
		}
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

func TestServer_EndsWhoeverReadsNoAnswers(t *testing.T) {
	inVirtualTime(t, Options{PeerRate: 1e6, PeerBurst: 1e6, AddressRate: 1e6, AddressBurst: 1e6, OutQueue: 4, HoldMessages: 4}, func(t *testing.T, s *site) {
		a, aID := s.peer()
		data, err := signaling.EncodeFrame(&signaling.Lookup{To: aID.PeerID()})
		if err != nil {
			t.Fatal(err)
		}
		ctx := a.ctx()
		for a.ws.Write(ctx, websocket.MessageText, data) == nil {
		}
		if ctx.Err() != nil {
			t.Fatal("it goes on for ever")
		}
		s.counted("connections", 0)
	})
}

func TestRouter_KeepsStatementsAsLongAsPeers(t *testing.T) {
	b := newBench(t, Options{})
	id := newID(t).PeerID()
	now := time.Unix(1000, 0)
	c, _ := b.join(id, "")
	b.unregister(now, c, id, true)
	if _, ok := b.keys(id); !ok {
		t.Error("the statement of a peer that is expected back is gone")
	}
	b.expire(now.Add(30 * time.Second))
	if _, ok := b.keys(id); ok {
		t.Error("the statement outlives its peer")
	}
}
