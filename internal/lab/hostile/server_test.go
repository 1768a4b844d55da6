package hostile

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

func TestServer_BehavesIfLeftAlone(t *testing.T) {
	s := listen(t)
	a, b := join(t, s), join(t, s)
	a.send(b, "1.1.1")
	b.send(a, "2.2.2")
	b.gets(a, "1.1.1")
	a.gets(b, "2.2.2")
	statement, key := a.looksUp(b)
	if statement != b.key.KeyStatement() || key != b.key.AgreementKey() {
		t.Error("the statement is another one")
	}
	gone, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Send(a.soon(), gone.PeerID(), "3.3.3"); !errors.Is(err, client.ErrUnreachable) {
		t.Error("a message to nobody:", err)
	}
	if _, err := a.Lookup(a.soon(), gone.PeerID()); !errors.Is(err, client.ErrUnreachable) {
		t.Error("a lookup of nobody:", err)
	}
}

func TestServer_DoesToMessagesWhatItIsTold(t *testing.T) {
	s := listen(t)
	a, b, c := join(t, s), join(t, s), join(t, s)
	last := 0
	try := func(hook SendHook, payloads ...string) {
		s.OnSend(hook)
		for _, p := range payloads {
			a.send(b, p)
			last++
		}
		s.OnSend(nil)
	}
	try(Duplicate, "1.1.1")
	b.gets(a, "1.1.1", "1.1.1")
	try(Reverse(3), "1.1.1", "2.2.2", "3.3.3")
	b.gets(a, "3.3.3", "2.2.2", "1.1.1")
	try(Reflect, "4.4.4")
	a.gets(b, "4.4.4")
	try(Misdeliver(c.key.PeerID()), "5.5.5")
	c.gets(a, "5.5.5")
	try(Drop, "6.6.6")
	try(Pass, "7.7.7")
	b.gets(a, "7.7.7") // and not 6.6.6
	try(func(_, to identity.PeerID, _ string) []Delivery {
		return []Delivery{{From: c.key.PeerID(), To: to, Payload: "8.8.8"}}
	}, "9.9.9")
	b.gets(c, "8.8.8")

	// What was recorded can be delivered at any time, to anybody.
	sent := s.Sent(a.key.PeerID(), b.key.PeerID())
	if len(sent) != last || sent[last-3] != "6.6.6" {
		t.Fatalf("recorded %v", sent)
	}
	for _, to := range []*guest{b, c} {
		if err := s.Deliver(Delivery{From: a.key.PeerID(), To: to.key.PeerID(), Payload: sent[last-3]}); err != nil {
			t.Fatal(err)
		}
		to.gets(a, "6.6.6")
	}
}

func TestServer_AnswersLookupsAsItIsTold(t *testing.T) {
	s := listen(t)
	a, b := join(t, s), join(t, s)
	attacker, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	forged, err := ForgeStatement(attacker, b.key.PeerID())
	if err != nil {
		t.Fatal(err)
	}
	s.OnLookup(func(identity.PeerID) string { return forged })
	if statement, key := a.looksUp(b); key != attacker.AgreementKey() || !strings.Contains(string(key), string(attacker.AgreementKey())) || statement != forged {
		t.Error("whoever does not verify takes another key")
	}
	if _, err := identity.OpenKeyStatement(forged, b.key.PeerID()); !errors.Is(err, identity.ErrKeyStatement) {
		t.Error("whoever verifies:", err)
	}
	s.OnLookup(func(identity.PeerID) string { return "" })
	if _, err := a.Lookup(a.soon(), b.key.PeerID()); !errors.Is(err, client.ErrUnreachable) {
		t.Error("a peer that is there and denied:", err)
	}
}

func TestServer_RecordsEverything(t *testing.T) {
	s := listen(t)
	a, b := join(t, s), join(t, s)
	a.looksUp(b)
	if r, err := s.Await(a.soon(), isLookup); err != nil || r.Peer != a.key.PeerID() || r.ToPeer {
		t.Errorf("%+v, %v", r, err)
	}
	a.send(b, "1.1.1")
	b.gets(a, "1.1.1")
	a.send(b, "2.2.2")
	b.gets(a, "2.2.2")
	if p, err := s.AwaitSent(a.soon(), a.key.PeerID(), b.key.PeerID(), 1); err != nil || p != "2.2.2" {
		t.Errorf("the second message is %q, %v", p, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/?who=am.i", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if err != nil || !strings.Contains(string(page), "<html") || resp.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("the page: %d, %.100s, %v", resp.StatusCode, page, err)
	}
	for _, want := range []string{
		`"type":"challenge"`, `"type":"register"`, `"type":"registered"`, `"type":"keys"`, b.key.KeyStatement(),
		`"type":"send"`, `"type":"message"`, "1.1.1", "GET /?who=am.i HTTP/1.1", "Sec-Websocket-Key",
	} {
		if !strings.Contains(s.Wire(), want) {
			t.Errorf("%q is not in the records", want)
		}
	}
}

func TestServer_PushesAnything(t *testing.T) {
	s := listen(t)
	a, b := join(t, s), join(t, s)
	if err := s.Push(a.key.PeerID(), &signaling.Sent{Ref: 99}); err != nil {
		t.Fatal(err)
	}
	a.send(b, "1.1.1") // it is still there
	b.gets(a, "1.1.1")
	if err := s.PushRaw(a.key.PeerID(), []byte(`{"type":"message"`)); err != nil {
		t.Fatal(err)
	}
	// The client leaves a server that talks nonsense, and tries again.
	left := 0
	_, err := s.Await(a.soon(), func(r Record) bool {
		if f, ok := r.Frame.(*signaling.Register); ok && f.Keys == a.key.KeyStatement() {
			left++
		}
		return left == 2
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.Registered(b.soon(), b.key.PeerID()); err != nil {
		t.Error(err)
	}
	if err := s.HangUp(b.key.PeerID()); err != nil {
		t.Error(err)
	}
	stranger, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{s.HangUp(stranger.PeerID()), s.Deliver(Delivery{From: a.key.PeerID(), To: stranger.PeerID(), Payload: "a.b.c"})} {
		if !errors.Is(err, ErrOffline) {
			t.Error(err)
		}
	}
}
