package attacks

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/signaling"
)

// limitAttacks want more of a signaling server than it has.
func limitAttacks() []attack {
	return []attack{
		{"ten-thousand-connections-that-never-speak", check.Connections, "429", silentCrowd},
		{"silent-connections-from-many-addresses", check.Connections, "closed", silentFromEverywhere},
		{"frames-without-end", check.Rate, "rate_limited", flood},
		{"oversized-json-at-the-server", check.Form, "too_large", oddFrame(strings.Repeat("a", 4*signaling.MaxFrame))},
		{"nested-json-at-the-server", check.Form, "bad_message", oddFrame(strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000))},
	}
}

// affordable returns how many connections this process may open, at most n.
func (w *world) affordable(n int) int {
	var limit syscall.Rlimit // the runtime has raised the soft limit already
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		w.Fatal(err)
	}
	if most := int(limit.Cur) - 2000; most < n {
		w.Logf("only %d of %d connections: the limit of open files is %d", most, n, limit.Cur)
		return max(most, 100)
	}
	return n
}

// silentCrowd opens connections from one address and says nothing: first without
// a request, then as WebSockets that do not register.
func silentCrowd(w *world) act {
	s := w.server()
	n := w.affordable(crowd)
	return act{
		control: func() error { return s.serves(w) },
		attempt: func() error {
			c := w.crowd(s, n)
			defer c.leave()
			if err := c.come("127.0.0.2", n/2, false); err != nil {
				return err
			}
			w.Logf("%d connections without a request are open", c.size())
			if err := c.come("127.0.0.2", n-n/2, true); err != nil {
				return err
			}
			w.Logf("of %d WebSockets %d were let in", n-n/2, c.admitted.Load())
			if c.admitted.Load() == int64(n-n/2) {
				return nil
			}
			if err := s.serves(w); err != nil {
				return fmt.Errorf("the crowd keeps honest peers out: %w", err)
			}
			return refusedBy(statusError(c.status.Load()))
		},
		refused: s.refused("address_limit"),
	}
}

// silentFromEverywhere stays below the limit of each address, and waits.
func silentFromEverywhere(w *world) act {
	s := w.server()
	const addresses, each = 40, 20
	return act{
		control: func() error { return s.serves(w) },
		attempt: func() error {
			c := w.crowd(s, addresses*each)
			defer c.leave()
			for i := range addresses {
				if err := c.come(fmt.Sprintf("127.0.1.%d", i+1), each, true); err != nil {
					return err
				}
			}
			if got := c.admitted.Load(); got != addresses*each {
				return fmt.Errorf("%d of %d were let in", got, addresses*each)
			}
			if err := s.serves(w); err != nil {
				return err
			}
			within := patience
			if w.weakened(check.Connections) {
				within = 13 * time.Second // they would have been closed by then, but for the check
			}
			if c.outlasts(within) {
				return nil
			}
			return &refusal{says: "closed"}
		},
		refused: s.refused("silence"),
	}
}

// serves checks that an honest peer can use the server.
func (s *server) serves(w *world) error {
	id := w.newIdentity()
	p, err := w.join(s.base, id)
	if err != nil {
		return err
	}
	defer p.hangUp()
	_, err = p.keyOf(w.ctx, id.PeerID())
	return err
}

// mob is a number of connections that say nothing.
type mob struct {
	// Constant.
	server   *server
	admitted atomic.Int64 // WebSockets that were opened
	status   atomic.Int64 // of the last that was not

	mu    sync.Mutex
	conns []net.Conn // guarded by mu
}

func (w *world) crowd(s *server, n int) *mob {
	return &mob{server: s, conns: make([]net.Conn, 0, n)}
}

// come opens n connections from an address of this machine; upgrade asks for a
// WebSocket on each.
func (m *mob) come(from string, n int, upgrade bool) error {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	host := strings.TrimPrefix(m.server.base, "http://")
	var (
		wg     sync.WaitGroup
		failed = make(chan error, 1)
		next   atomic.Int64
	)
	for range min(n, 64) {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				if err := m.one(&dialer, host, upgrade); err != nil {
					select {
					case failed <- err:
					default:
					}
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func (m *mob) one(d *net.Dialer, host string, upgrade bool) error {
	c, err := d.DialContext(m.server.w.ctx, "tcp", host)
	if err != nil {
		return turnedAway(err)
	}
	m.mu.Lock()
	m.conns = append(m.conns, c)
	m.mu.Unlock()
	if !upgrade {
		return nil
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", signaling.Path, host, signaling.Subprotocol); err != nil {
		return turnedAway(err)
	}
	line, err := bufio.NewReaderSize(c, 16).ReadString('\n')
	if err != nil {
		return turnedAway(err)
	}
	var status int
	if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &status); err != nil {
		return fmt.Errorf("no answer to a WebSocket: %q", line)
	}
	if status == http.StatusSwitchingProtocols {
		m.admitted.Add(1)
		return c.SetDeadline(time.Time{})
	}
	m.status.Store(int64(status))
	return nil
}

// turnedAway takes a connection that was closed at the gate for what it is: the
// gate makes room for those who speak.
func turnedAway(err error) error {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (m *mob) size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.conns)
}

// outlasts reports whether a connection is still open after d.
func (m *mob) outlasts(d time.Duration) bool {
	deadline := time.Now().Add(d)
	for _, c := range m.conns {
		_ = c.SetReadDeadline(deadline)
		for buf := make([]byte, 4096); ; {
			_, err := c.Read(buf)
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				return true
			}
			if err != nil {
				break
			}
		}
	}
	return false
}

func (m *mob) leave() {
	for _, c := range m.conns {
		_ = c.Close()
	}
}

// flood sends frames as fast as the connection takes them.
func flood(w *world) act {
	s := w.server()
	const frames = 1000 // as many as are allowed in most of a minute, sent in less
	return act{
		control: func() error { return s.serves(w) },
		attempt: func() error {
			id := w.newIdentity()
			p := w.mustJoin(s.base, id)
			failed := make(chan error, 1)
			go func() {
				for i := range frames {
					if err := p.write(w.ctx, &signaling.Lookup{To: id.PeerID(), Ref: int64(i)}); err != nil {
						failed <- err
						return
					}
				}
				failed <- nil
			}()
			answers, err := 0, error(nil)
			var last *signaling.ServerError
			for answers < frames && err == nil {
				var f signaling.Frame
				if f, err = p.next(w.ctx); err != nil {
					break
				}
				if e, ok := f.(*signaling.ServerError); ok {
					last = e
					continue
				}
				answers++
			}
			<-failed
			switch {
			case answers == frames:
				return nil
			case websocket.CloseStatus(err) == websocket.StatusPolicyViolation && last != nil:
				return refusedBy(last)
			}
			return err
		},
		refused: s.refused(string(check.Rate)),
	}
}

// oddFrame sends a frame that is no frame of ours, in the place of a name, and
// sees whether the connection goes on.
func oddFrame(odd string) func(w *world) act {
	return func(w *world) act {
		s := w.server()
		return act{
			control: func() error { return s.serves(w) },
			attempt: func() error {
				id := w.newIdentity()
				p := w.mustJoin(s.base, id)
				value := odd
				if odd[0] != '[' {
					value = `"` + odd + `"`
				}
				if err := p.raw(w.ctx, []byte(`{"type":"lookup","to":`+value+`,"ref":7}`)); err != nil {
					return err
				}
				ctx, cancel := context.WithTimeout(w.ctx, patience)
				defer cancel()
				for {
					f, err := p.next(ctx)
					if err != nil {
						return err
					}
					e, ok := f.(*signaling.ServerError)
					if !ok {
						return fmt.Errorf("the server answered with %T", f)
					}
					if e.Code != signaling.CodeUnreachable {
						return refusedBy(e)
					}
					if _, err := p.keyOf(ctx, id.PeerID()); err == nil {
						return nil // it goes on as if nothing had been
					}
				}
			},
			refused: s.refused(string(check.Form)),
		}
	}
}
