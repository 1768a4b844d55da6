package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
	"github.com/sightline-cam/sightline/signaling/server"
)

func TestClient_CarriesMessagesBothWaysInOrder(t *testing.T) {
	s := startSite(t, server.Options{})
	a, b := run(t, s.url(), nil, nil), run(t, s.url(), nil, nil)
	a.wait(client.StateOnline)
	b.wait(client.StateOnline)
	for i := range 10 {
		a.send(b, fmt.Sprintf("%d.a.b", i))
		b.send(a, fmt.Sprintf("%d.b.a", i))
	}
	for i := range 10 {
		b.want(a, fmt.Sprintf("%d.a.b", i))
		a.want(b, fmt.Sprintf("%d.b.a", i))
	}
	if a.State() != client.StateOnline {
		t.Error("state", a.State())
	}
	a.stop()
	if a.State() != client.StateOffline {
		t.Error("state after Run", a.State())
	}
}

func TestClient_SpeaksTLS(t *testing.T) {
	s, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewTLSServer(s.Handler())
	defer func() {
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	url := strings.Replace(h.URL, "https://", "wss://", 1)
	stranger := run(t, url, nil, nil)
	if err := stranger.wait(client.StateWaiting); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error("an unknown certificate:", err)
	}
	stranger.stop()
	trust := func(o *client.Options) { o.HTTPClient = h.Client() }
	a, b := run(t, url, nil, trust), run(t, url, nil, trust)
	b.wait(client.StateOnline)
	a.send(b, "1.1.1")
	b.want(a, "1.1.1")
	a.stop()
	b.stop()
}

func TestClient_SendWaitsUntilThereIsAServer(t *testing.T) {
	s := startSite(t, server.Options{})
	b := run(t, s.url(), nil, nil)
	b.wait(client.StateOnline)
	a := newPeer(t, s.url(), nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var sender, runner sync.WaitGroup
	sender.Go(func() { a.send(b, "1.1.1") })
	runner.Go(func() { _ = a.Run(ctx) })
	b.want(a, "1.1.1")
	sender.Wait()
	cancel()
	runner.Wait()
}

func TestClient_ComesBackWhenTheServerRestarts(t *testing.T) {
	s := startSite(t, server.Options{})
	a, b := run(t, s.url(), nil, nil), run(t, s.url(), nil, nil)
	a.wait(client.StateOnline)
	b.wait(client.StateOnline)
	s.stop()
	if err := a.wait(client.StateWaiting); err == nil {
		t.Error("no reason given")
	}
	b.wait(client.StateWaiting)
	s.start(server.Options{})
	b.wait(client.StateOnline)
	a.wait(client.StateOnline)
	a.send(b, "1.1.1")
	b.want(a, "1.1.1")
}

func TestClient_AMessageSentWhileTheServerIsDownGoesOutLater(t *testing.T) {
	s := startSite(t, server.Options{})
	a, b := run(t, s.url(), nil, nil), run(t, s.url(), nil, nil)
	a.wait(client.StateOnline)
	b.wait(client.StateOnline)
	s.stop()
	a.wait(client.StateWaiting)
	b.wait(client.StateWaiting)
	b.stop()
	s.start(server.Options{})
	again := run(t, s.url(), b.id, nil)
	again.wait(client.StateOnline)
	s.conns.cut()
	a.send(again, "1.1.1")
	again.want(a, "1.1.1")
}

func TestClient_ResumesAndGetsWhatCameMeanwhile(t *testing.T) {
	s := startSite(t, server.Options{})
	a := run(t, s.url(), nil, nil)
	b := run(t, s.url(), nil, func(o *client.Options) { o.MinBackoff = 300 * time.Millisecond })
	a.wait(client.StateOnline)
	b.wait(client.StateOnline)
	s.conns.cut() // both; a is back long before b
	b.wait(client.StateWaiting)
	a.wait(client.StateOnline)
	a.send(b, "1.1.1")
	b.wait(client.StateOnline)
	b.want(a, "1.1.1")
	if n := counter(t, s.server, "sightline_signaling_resumed_total"); n < 2 {
		t.Errorf("%v resumed", n)
	}
}

func counter(t *testing.T, s *server.Server, name string) float64 {
	t.Helper()
	families, err := s.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue() + f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatal("no metric", name)
	return 0
}

func TestClient_SaysWhenThePeerIsNotThere(t *testing.T) {
	s := startSite(t, server.Options{})
	a, b := run(t, s.url(), nil, nil), run(t, s.url(), nil, nil)
	b.wait(client.StateOnline)
	a.wait(client.StateOnline)
	b.stop() // says goodbye, so nothing is held for it
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	deadline := time.After(patience)
	for counter(t, s.server, "sightline_signaling_registered_peers") != 1 {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatal("it is registered still")
		}
	}
	for name, to := range map[string]identity.PeerID{"unknown": newID(t).PeerID(), "left": b.id.PeerID()} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := a.Send(ctx, to, "a.b.c"); !errors.Is(err, client.ErrUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func TestClient_DisplacedTellsSoAndWaitsLong(t *testing.T) {
	s := startSite(t, server.Options{})
	first := run(t, s.url(), nil, func(o *client.Options) { o.DisplacedBackoff = time.Hour })
	first.wait(client.StateOnline)
	second := run(t, s.url(), first.id, nil)
	second.wait(client.StateOnline)
	err := first.wait(client.StateDisplaced)
	var e *signaling.ServerError
	if !errors.As(err, &e) || e.Code != signaling.CodeDisplaced || !strings.Contains(err.Error(), "another process") {
		t.Error("reason:", err)
	}
	other := run(t, s.url(), nil, nil)
	other.send(second, "1.1.1")
	second.want(other, "1.1.1")
}

func TestClient_SendRefusesAndGivesUp(t *testing.T) {
	s := startSite(t, server.Options{})
	a := newPeer(t, s.url(), nil, func(o *client.Options) { o.OutQueue = 1 })
	to := newID(t).PeerID()
	for name, bad := range map[string]struct {
		to      identity.PeerID
		payload string
	}{"no peer": {"x", "a.b.c"}, "no JWS": {to, "a b"}, "empty": {to, ""}, "too large": {to, strings.Repeat("x", signaling.MaxPayload+1)}} {
		if err := a.Send(t.Context(), bad.to, bad.payload); !errors.Is(err, signaling.ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := a.Send(short, to, "a.b.c"); !errors.Is(err, client.ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
		t.Error("not connected:", err)
	}
	// One message occupies the whole queue.
	ctx, end := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	blocked := make(chan error, 2)
	for range 2 {
		wg.Go(func() { blocked <- a.Send(ctx, to, "a.b.c") })
	}
	end()
	wg.Wait()
	for range 2 {
		if err := <-blocked; !errors.Is(err, client.ErrNotSent) {
			t.Error("queue full:", err)
		}
	}
	stopped, cancelRun := context.WithCancel(t.Context())
	cancelRun()
	if err := a.Run(stopped); !errors.Is(err, context.Canceled) {
		t.Error("Run:", err)
	}
	if err := a.Send(t.Context(), to, "a.b.c"); !errors.Is(err, client.ErrNotSent) {
		t.Error("after Run:", err)
	}
	if err := a.Run(t.Context()); err == nil {
		t.Error("Run twice")
	}
}

func TestClient_ASlowReceiverLosesMessagesAndCountsThem(t *testing.T) {
	s := startSite(t, server.Options{})
	release, entered := make(chan struct{}), make(chan struct{}, 100)
	a := run(t, s.url(), nil, nil)
	b := run(t, s.url(), nil, func(o *client.Options) {
		o.InQueue = 2
		o.OnMessage = func(context.Context, identity.PeerID, string) {
			entered <- struct{}{}
			<-release
		}
	})
	b.wait(client.StateOnline)
	for range 10 {
		a.send(b, "a.b.c")
	}
	// A message the other way comes after those on b's connection.
	b.send(a, "x.y.z")
	a.want(b, "x.y.z")
	<-entered
	close(release)
	deadline := time.After(patience)
	for b.Dropped() < 7 { // at least one was being handled, at most two waited
		select {
		case <-deadline:
			t.Fatalf("%d dropped", b.Dropped())
		case <-time.After(time.Millisecond):
		}
	}
}

func TestNew_ChecksTheURL(t *testing.T) {
	id := newID(t)
	for url, ok := range map[string]bool{
		"wss://signal.example.org": true, "https://signal.example.org:8443": true, "wss://signal.example.org/behind/a/proxy": true,
		"ws://127.0.0.1:8788": true, "ws://localhost": true, "http://[::1]:1": true, "ws://cam.localhost:1/": true,
		"": false, "signal.example.org": false, "ftp://signal.example.org": false, "wss://": false, "wss://user:hunter2@signal.example.org": false,
		"wss://signal.example.org/?token=hunter2": false, "wss://signal.example.org/#hunter2": false, "ws://signal.example.org": false, "ws://192.168.1.5": false,
		"ws://localhost.evil.example.org": false, "wss://bad host\x7f:hunter2": false,
	} {
		_, err := client.New(client.Options{URL: url, Identity: id})
		if (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error tells the secret: %v", url, err)
		}
	}
	if _, err := client.New(client.Options{URL: "ws://192.168.1.5", Identity: id, AllowPlaintext: true}); err != nil {
		t.Error("plaintext allowed:", err)
	}
	_, err := client.New(client.Options{URL: "ws://192.168.1.5", Identity: id})
	if err == nil || !strings.Contains(err.Error(), "wss://192.168.1.5") {
		t.Error("the error does not say what to do:", err)
	}
	if _, err := client.New(client.Options{URL: "wss://signal.example.org"}); err == nil {
		t.Error("no identity")
	}
}

func BenchmarkSend(b *testing.B) {
	s := startSite(b, server.Options{PeerRate: 1e9, PeerBurst: 1e9, AddressRate: 1e9, AddressBurst: 1e9})
	from := run(b, s.url(), nil, nil)
	to := run(b, s.url(), nil, func(o *client.Options) { o.OnMessage = nil })
	to.wait(client.StateOnline)
	from.wait(client.StateOnline)
	payload := strings.Repeat("x", 5000)
	for b.Loop() {
		if err := from.Send(b.Context(), to.id.PeerID(), payload); err != nil {
			b.Fatal(err)
		}
	}
}
