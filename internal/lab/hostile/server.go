package hostile

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/web"
)

// ErrOffline says that a peer is not registered here.
var ErrOffline = errors.New("hostile: the peer is not registered")

// Options configure a Server. The zero value works.
type Options struct {
	// Page serves everything but signaling. Default: the real web page.
	Page http.Handler
}

// Server is the hostile signaling server. Listen makes one; Close ends it. Its
// hooks may be changed at any time. Safe for concurrent use.
type Server struct {
	// constant after construction
	*recorder
	page     http.Handler
	listener net.Listener
	http     *http.Server
	cancel   context.CancelFunc // ends the connections
	serving  sync.WaitGroup     // the HTTP server and the connections

	mu sync.Mutex
	// guarded by mu
	closed   bool
	peers    map[identity.PeerID]*conn
	changed  chan struct{}              // closed and replaced when peers changes
	known    map[identity.PeerID]string // statements, of those who left too
	onSend   SendHook
	onLookup func(of identity.PeerID) string
}

// Listen starts a server on a free port of 127.0.0.1.
func Listen(o Options) (*Server, error) {
	if o.Page == nil {
		o.Page = web.Handler()
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("hostile: %w", err)
	}
	s := &Server{
		recorder: newRecorder(), page: o.Page, listener: l,
		peers: map[identity.PeerID]*conn{}, changed: make(chan struct{}), known: map[identity.PeerID]string{},
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	mux := http.NewServeMux()
	mux.HandleFunc(signaling.Path, s.signal)
	mux.Handle("/", s.page)
	s.http = &http.Server{Handler: s.noteRequests(mux), ReadHeaderTimeout: time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}
	s.serving.Go(func() { _ = s.http.Serve(l) }) // ends with Close
	return s, nil
}

// URL returns the page's address, "http://127.0.0.1:port". Signaling clients
// take it too.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close ends all connections and waits for them. Idempotent.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	err := s.http.Close()
	s.serving.Wait()
	return err
}

// OnSend sets what becomes of messages; nil is honest: they are passed on, and
// to a peer that is not there the sender hears "unreachable". With a hook every
// sender is told that its message was taken.
func (s *Server) OnSend(f SendHook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onSend = f
}

// OnLookup sets what lookups are answered: a key statement, or "" for
// "unreachable". Nil is honest.
func (s *Server) OnLookup(f func(of identity.PeerID) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onLookup = f
}

// Statement returns the key statement that a peer registered with, "" for none.
func (s *Server) Statement(of identity.PeerID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[of]
}

// Registered waits until a peer is registered.
func (s *Server) Registered(ctx context.Context, id identity.PeerID) error {
	for {
		s.mu.Lock()
		c, changed := s.peers[id], s.changed
		s.mu.Unlock()
		if c != nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%w: %s: %w", ErrOffline, id.Short(), context.Cause(ctx))
		}
	}
}

// Deliver gives a message to d.To, now: one that was recorded, held back or
// made up. ErrOffline if the peer is not there.
func (s *Server) Deliver(d Delivery) error {
	return s.Push(d.To, &signaling.Delivery{From: d.From, Payload: d.Payload})
}

// Push sends a peer a frame of the server's own: an error, or the answer to a
// lookup that nobody made.
func (s *Server) Push(to identity.PeerID, f signaling.Frame) error {
	data, err := signaling.EncodeFrame(f)
	if err != nil {
		return fmt.Errorf("hostile: %w", err)
	}
	return s.PushRaw(to, data)
}

// PushRaw sends a peer any text as a frame.
func (s *Server) PushRaw(to identity.PeerID, data []byte) error {
	s.mu.Lock()
	c := s.peers[to]
	s.mu.Unlock()
	if c == nil {
		return fmt.Errorf("%w: %s", ErrOffline, to.Short())
	}
	return c.push(outgoing{to: to, data: data})
}

// HangUp cuts a peer's connection without a word.
func (s *Server) HangUp(id identity.PeerID) error {
	s.mu.Lock()
	c := s.peers[id]
	s.mu.Unlock()
	if c == nil {
		return fmt.Errorf("%w: %s", ErrOffline, id.Short())
	}
	return c.ws.CloseNow()
}

// Records returns everything seen so far, in order.
func (s *Server) Records() []Record {
	records, _ := s.since(0)
	return records
}

// Await returns the first record that matches, waiting until ctx ends.
func (s *Server) Await(ctx context.Context, match func(Record) bool) (Record, error) {
	return s.await(ctx, match)
}

// Wire returns the text of everything seen so far, a line for each record: what
// a server that keeps all traffic has to read.
func (s *Server) Wire() string {
	var out []byte
	for _, r := range s.Records() {
		out = append(append(out, r.Raw...), '\n')
	}
	return string(out)
}

// Sent returns the payloads that one peer has sent for another, in order.
func (s *Server) Sent(from, to identity.PeerID) []string {
	var out []string
	for _, r := range s.Records() {
		if f, ok := r.Frame.(*signaling.Send); ok && r.Peer == from && f.To == to {
			out = append(out, f.Payload)
		}
	}
	return out
}

// AwaitSent waits for a further payload from one peer for another after the
// first n, and returns it.
func (s *Server) AwaitSent(ctx context.Context, from, to identity.PeerID, n int) (string, error) {
	r, err := s.await(ctx, func(r Record) bool {
		f, ok := r.Frame.(*signaling.Send)
		if !ok || r.Peer != from || f.To != to {
			return false
		}
		n--
		return n < 0
	})
	if err != nil {
		return "", err
	}
	f, _ := r.Frame.(*signaling.Send) // matched
	return f.Payload, nil
}

func (s *Server) noteRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if head, err := httputil.DumpRequest(r, false); err == nil {
			s.add(Record{Raw: string(head)})
		}
		next.ServeHTTP(w, r)
	})
}

// signal serves one WebSocket, whoever asks for it.
func (s *Server) signal(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		http.Error(w, "closed", http.StatusServiceUnavailable)
		return
	}
	s.serving.Add(1)
	s.mu.Unlock()
	defer s.serving.Done()
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{signaling.Subprotocol}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return // Accept has answered
	}
	ws.SetReadLimit(signaling.MaxFrame)
	newConn(s, ws).serve(r.Context())
}

// join puts a connection in the place of the peer that it says it is.
func (s *Server) join(c *conn, statement string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers[c.id] = c
	s.known[c.id] = statement
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peers[c.id] == c {
		delete(s.peers, c.id)
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// lookUp returns the statement to answer a lookup with.
func (s *Server) lookUp(of identity.PeerID) string {
	s.mu.Lock()
	hook := s.onLookup
	statement := ""
	if s.peers[of] != nil {
		statement = s.known[of]
	}
	s.mu.Unlock()
	if hook != nil {
		return hook(of)
	}
	return statement
}

// route does with a message what the hook says, and reports whether the sender
// is to believe that it was taken.
func (s *Server) route(from, to identity.PeerID, payload string) bool {
	s.mu.Lock()
	hook := s.onSend
	s.mu.Unlock()
	if hook == nil {
		return s.Deliver(Delivery{From: from, To: to, Payload: payload}) == nil
	}
	for _, d := range hook(from, to, payload) {
		_ = s.Deliver(d) // whoever is not there gets nothing
	}
	return true
}
