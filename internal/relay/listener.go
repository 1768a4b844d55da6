package relay

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/gate"
)

// transport is how clients come, for metrics.
type transport string

const (
	overUDP transport = "udp"
	overTCP transport = "tcp"
	overTLS transport = "tls"
)

// pause is how long accepting rests after an error, of too many open files for
// one.
const pause = 100 * time.Millisecond

// listener accepts streams and knows them.
type listener struct {
	// constant after construction
	server *Server
	gate   *gate.Listener
	tls    *tls.Config // nil for TCP

	mu sync.Mutex
	// guarded by mu
	closed  bool
	streams map[endpoints]*stream
}

// endpoints are both ends of a stream.
type endpoints struct{ from, to netip.AddrPort }

func newListener(s *Server, l Listener) *listener {
	out := &listener{server: s, streams: make(map[endpoints]*stream)}
	out.gate = gate.New(l.Listener, gate.Options{Max: s.opts.Limits.Connections, MaxPerAddress: s.opts.Limits.ConnectionsPerAddress})
	if l.TLS != nil {
		// The configuration is a web server's: a client of TURN names another
		// application protocol, or none (RFC 7443).
		out.tls = l.TLS.Clone()
		out.tls.NextProtos = nil
	}
	return out
}

func (l *listener) transport() transport {
	if l.tls != nil {
		return overTLS
	}
	return overTCP
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.gate.Accept()
		if err == nil {
			s := newStream(l, raw, l.tls)
			if l.add(s) {
				return s, nil
			}
			_ = raw.Close()
			continue
		}
		if errors.Is(err, net.ErrClosed) || l.server.closing() {
			return nil, err
		}
		l.server.log.Warn("the relay cannot accept a connection", "error", err)
		select {
		case <-l.server.done:
		case <-time.After(pause):
		}
	}
}

func (l *listener) add(s *stream) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.streams[endpoints{s.from, s.to}] = s
	l.server.running.Add(1)
	l.server.metrics.connections.Inc()
	return true
}

// remove forgets a stream whose reader has ended. Idempotent.
func (l *listener) remove(s *stream) {
	s.removed.Do(func() {
		l.mu.Lock()
		// A client may have come again from the same port before the reader saw the end.
		if e := (endpoints{s.from, s.to}); l.streams[e] == s {
			delete(l.streams, e)
		}
		l.mu.Unlock()
		l.server.metrics.connections.Dec()
		l.server.running.Done()
	})
}

func (l *listener) stream(e endpoints) *stream {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.streams[e]
}

// allocation finds a client's by its address alone, which is all that pion tells:
// one client that reaches two addresses of ours from one port has what it has at
// either.
func (l *listener) allocation(from netip.AddrPort) *allocation {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e, s := range l.streams {
		if a := s.allocation.Load(); e.from == from && a != nil {
			return a
		}
	}
	return nil
}

// Close implements net.Listener, and closes the streams.
func (l *listener) Close() error {
	err := l.gate.Close()
	l.mu.Lock()
	l.closed = true
	streams := make([]*stream, 0, len(l.streams))
	for _, s := range l.streams {
		streams = append(streams, s)
	}
	l.mu.Unlock()
	for _, s := range streams {
		_ = s.Close() // the client may have
	}
	return err
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.gate.Addr() }
