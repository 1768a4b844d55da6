package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/loopback"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

// impostor answers every WebSocket with behave.
func impostor(t *testing.T, behave func(ctx context.Context, ws *websocket.Conn)) string {
	t.Helper()
	h := httptest.NewServer(misbehaving(behave))
	t.Cleanup(h.Close)
	return h.URL
}

func misbehaving(behave func(ctx context.Context, ws *websocket.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{signaling.Subprotocol}})
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		behave(context.Background(), ws)
	})
}

// inVirtualTime serves h in a bubble; f gets its URL and what reaches it. No time
// passes while anybody does anything.
func inVirtualTime(t *testing.T, h http.Handler, f func(t *testing.T, url string, reach func(*client.Options))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := loopback.Listen(8080)
		var serving sync.WaitGroup
		s := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			serving.Add(1) // a WebSocket is none of the http.Server's business
			defer serving.Done()
			h.ServeHTTP(w, r)
		})}
		serving.Go(func() { _ = s.Serve(l) })
		t.Cleanup(func() {
			_ = s.Close()
			serving.Wait()
		})
		f(t, "ws://"+l.Addr().String(), func(o *client.Options) {
			o.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: l.DialContext, DisableKeepAlives: true}}
		})
	})
}

func say(ctx context.Context, ws *websocket.Conn, f signaling.Frame) {
	data, err := signaling.EncodeFrame(f)
	if err == nil {
		_ = ws.Write(ctx, websocket.MessageText, data)
	}
}

// listen reads until the client is gone.
func listen(ctx context.Context, ws *websocket.Conn) {
	for {
		if _, _, err := ws.Read(ctx); err != nil {
			return
		}
	}
}

// welcome registers the client as id.
func welcome(ctx context.Context, ws *websocket.Conn, id identity.PeerID) {
	say(ctx, ws, &signaling.Challenge{Nonce: signaling.NewToken(signaling.ChallengeSize)})
	_, _, _ = ws.Read(ctx)
	say(ctx, ws, &signaling.Registered{ID: id, Resume: signaling.NewToken(signaling.ResumeSize)})
}

func TestClient_AHostileServerIsLeftAndTriedAgain(t *testing.T) {
	id := newID(t)
	tests := map[string]struct {
		behave func(ctx context.Context, ws *websocket.Conn)
		want   string
	}{
		"says nothing": {listen, "deadline"},
		"hangs up":     {func(context.Context, *websocket.Conn) {}, "closed the connection"},
		"not JSON":     {func(ctx context.Context, ws *websocket.Conn) { _ = ws.Write(ctx, websocket.MessageText, []byte("x")) }, "bad signaling message"},
		"binary": {func(ctx context.Context, ws *websocket.Conn) {
			_ = ws.Write(ctx, websocket.MessageBinary, []byte("{}"))
		}, "not a text message"},
		"oversized": {func(ctx context.Context, ws *websocket.Conn) {
			_ = ws.Write(ctx, websocket.MessageText, make([]byte, signaling.MaxFrame+1))
		}, "closed the connection"},
		"no challenge": {func(ctx context.Context, ws *websocket.Conn) { say(ctx, ws, &signaling.Sent{Ref: 1}) }, "no challenge"},
		"a weak challenge": {func(ctx context.Context, ws *websocket.Conn) {
			_ = ws.Write(ctx, websocket.MessageText, []byte(`{"type":"challenge","nonce":"AAAA"}`))
		}, "nonce"},
		"somebody else": {func(ctx context.Context, ws *websocket.Conn) { welcome(ctx, ws, newID(t).PeerID()); listen(ctx, ws) }, "somebody else"},
		"refuses": {func(ctx context.Context, ws *websocket.Conn) {
			say(ctx, ws, &signaling.Challenge{Nonce: signaling.NewToken(signaling.ChallengeSize)})
			_, _, _ = ws.Read(ctx)
			say(ctx, ws, &signaling.ServerError{Code: signaling.CodeUnauthenticated, Message: "No."})
			listen(ctx, ws)
		}, "unauthenticated"},
		"a second challenge": {func(ctx context.Context, ws *websocket.Conn) {
			welcome(ctx, ws, id.PeerID())
			say(ctx, ws, &signaling.Challenge{Nonce: signaling.NewToken(signaling.ChallengeSize)})
			listen(ctx, ws)
		}, "unexpected frame"},
		"answers no ping": {func(ctx context.Context, ws *websocket.Conn) {
			welcome(ctx, ws, id.PeerID())
			<-time.After(patience) // reads nothing meanwhile
		}, "does not answer"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, misbehaving(tt.behave), func(t *testing.T, url string, reach func(*client.Options)) {
				p := run(t, url, id, reach)
				for range 2 { // it does not give up
					if err := p.wait(client.StateWaiting); err == nil || !strings.Contains(err.Error(), tt.want) {
						t.Errorf("reason: %v; want %q", err, tt.want)
					}
				}
				p.stop()
			})
		})
	}
}

// TestClient_AnAnswerOfAnotherKindIsNoSuccess lets a server answer every request
// with what answers another.
func TestClient_AnAnswerOfAnotherKindIsNoSuccess(t *testing.T) {
	id, to := newID(t), newID(t).PeerID()
	ask := map[string]func(ctx context.Context, p *peer) error{
		"sent":  func(ctx context.Context, p *peer) error { return p.Send(ctx, to, "1.1.1") },
		"keys":  func(ctx context.Context, p *peer) error { _, err := p.Lookup(ctx, to); return err },
		"relay": func(ctx context.Context, p *peer) error { _, err := p.Relay(ctx); return err },
	}
	answers := map[string]string{
		"sent":                       `{"type":"sent","ref":1}`,
		"keys":                       fmt.Sprintf(`{"type":"keys","of":%q,"ref":1,"keys":"1.1.1"}`, to),
		"relay":                      `{"type":"relay","ref":1,"ice":{"urls":["turn:a.example"],"username":"u","credential":"c","expires":0}}`,
		"relay without a credential": `{"type":"relay","ref":1,"ice":{"urls":["turn:a.example"],"username":"","credential":"","expires":0}}`,
		"relay that is none":         `{"type":"relay","ref":1,"ice":{"urls":["stun:a.example"],"username":"u","credential":"c","expires":0}}`,
	}
	for asked, ask := range ask {
		for answered, answer := range answers {
			t.Run(asked+" "+answered, func(t *testing.T) {
				p := run(t, impostor(t, func(ctx context.Context, ws *websocket.Conn) {
					welcome(ctx, ws, id.PeerID())
					if _, _, err := ws.Read(ctx); err == nil {
						_ = ws.Write(ctx, websocket.MessageText, []byte(answer))
					}
					listen(ctx, ws)
				}), id, nil)
				p.wait(client.StateOnline)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				result := make(chan error, 1)
				go func() { result <- ask(ctx, p) }()
				if asked != answered {
					if err := p.wait(client.StateWaiting); !errors.Is(err, signaling.ErrMessage) {
						t.Error("the connection ended with", err)
					}
					cancel()
				}
				if err := <-result; (err == nil) != (asked == answered) {
					t.Error(err)
				}
			})
		}
	}
}

func TestClient_SaysWhatAnHTTPStatusMeans(t *testing.T) {
	for status, want := range map[int]string{
		421: "allowed hosts", 403: "origin", 429: "too many", 503: "full or shutting down", 404: "Check the URL", 200: "Check the URL",
	} {
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		p := run(t, h.URL, nil, nil)
		err := p.wait(client.StateWaiting)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), strings.TrimPrefix(h.URL, "http://")) != 1 {
			t.Errorf("%d: %v", status, err)
		}
		p.stop()
		h.Close()
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	redirect := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer redirect.Close()
	r := run(t, redirect.URL, nil, nil)
	if err := r.wait(client.StateWaiting); err == nil || !strings.Contains(err.Error(), "307") {
		t.Error("a redirect:", err)
	}
	r.stop()
	p := run(t, "ws://127.0.0.1:1", nil, nil)
	if err := p.wait(client.StateWaiting); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Error("nobody listens:", err)
	}
}

// TestClient_RunEndsThoughTheServerNeverClosesTheConnection keeps the closing
// handshake open with an endless frame.
func TestClient_RunEndsThoughTheServerNeverClosesTheConnection(t *testing.T) {
	id := newID(t)
	stuck := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		ws, err := websocket.Accept(rec, r, &websocket.AcceptOptions{Subprotocols: []string{signaling.Subprotocol}})
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		welcome(r.Context(), ws, id.PeerID())
		// The header of a binary frame of 2^40 bytes, then a drip.
		_, _ = rec.conn.Write([]byte{0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0})
		for {
			<-time.After(5 * time.Millisecond)
			if _, err := rec.conn.Write([]byte{0}); err != nil {
				return
			}
		}
	})
	inVirtualTime(t, stuck, func(t *testing.T, url string, reach func(*client.Options)) {
		p := run(t, url, id, reach)
		p.wait(client.StateOnline)
		started := time.Now()
		p.stop()
		if took := time.Since(started); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// recorder keeps hold of the connection under a WebSocket.
type recorder struct {
	http.ResponseWriter
	conn net.Conn
}

func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := r.ResponseWriter.(http.Hijacker).Hijack()
	r.conn = conn
	return conn, rw, err
}

func TestClient_SendsAgainWhatALostConnectionDidNotConfirm(t *testing.T) {
	id, to := newID(t), newID(t).PeerID()
	var connections atomic.Int64
	url := impostor(t, func(ctx context.Context, ws *websocket.Conn) {
		first := connections.Add(1) == 1
		welcome(ctx, ws, id.PeerID())
		for want := range 2 {
			_, data, err := ws.Read(ctx)
			if err != nil {
				return
			}
			f, err := signaling.DecodeFrame(data)
			s, ok := f.(*signaling.Send)
			if err != nil || !ok || s.To != to || s.Payload != fmt.Sprintf("%d.%d.%d", want, want, want) {
				t.Errorf("received %+v, %v", f, err)
				return
			}
			switch {
			case !first:
				say(ctx, ws, &signaling.Sent{Ref: s.Ref})
			case want == 1:
				return // took both, confirmed none
			}
		}
		listen(ctx, ws)
	})
	p := newPeer(t, url, id, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	results := make(chan error, 2)
	for i := range 2 {
		go func() { results <- p.Send(ctx, to, fmt.Sprintf("%d.%d.%d", i, i, i)) }()
		for p.Waiting() != i+1 {
			runtime.Gosched()
		}
	}
	run, stop := context.WithCancel(t.Context())
	var runner sync.WaitGroup
	runner.Go(func() { _ = p.Run(run) })
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
	stop()
	runner.Wait()
}
