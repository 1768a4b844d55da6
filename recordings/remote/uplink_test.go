package remote

import (
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
)

// uplink is a host whose line to the internet carries so many bit/s, with a queue in
// front of it as home routers have.
type uplink struct {
	*virtual.Host

	mu    sync.Mutex
	rate  int           // bit/s; 0: as much as comes
	depth time.Duration // of the queue
	free  time.Time     // when the line is free again
	lost  int
	worst time.Duration
}

// ListenPacket implements transport.Net.
func (u *uplink) ListenPacket(network, address string) (net.PacketConn, error) {
	c, err := u.Host.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	s := &slow{PacketConn: c, up: u, queue: make(chan waiting, 10_000), done: make(chan struct{})}
	go s.run()
	return s, nil
}

// narrow makes the line so narrow.
func (u *uplink) narrow(rate int, depth time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rate, u.depth = rate, depth
}

// worstSince returns how long the queue was at most since it was asked last.
func (u *uplink) worstSince() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	worst := u.worst
	u.worst = 0
	return worst
}

// admit returns when a packet has left; false if there is no room for it.
func (u *uplink) admit(size int) (at time.Time, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	if u.rate == 0 {
		return now, true
	}
	if u.free.Before(now) {
		u.free = now
	}
	u.worst = max(u.worst, u.free.Sub(now))
	if u.free.Sub(now) > u.depth {
		u.lost++
		return now, false
	}
	u.free = u.free.Add(time.Duration(size*8) * time.Second / time.Duration(u.rate))
	return u.free, true
}

// slow is a socket behind an uplink.
type slow struct {
	net.PacketConn
	up    *uplink
	queue chan waiting
	done  chan struct{}
	once  sync.Once
}

type waiting struct {
	at   time.Time
	data []byte
	to   net.Addr
}

func (s *slow) run() {
	for {
		select {
		case w := <-s.queue:
			if d := time.Until(w.at); d > 0 {
				t := time.NewTimer(d)
				select {
				case <-t.C:
				case <-s.done:
					t.Stop()
					return
				}
			}
			_, _ = s.PacketConn.WriteTo(w.data, w.to)
		case <-s.done:
			return
		}
	}
}

// WriteTo implements net.PacketConn.
func (s *slow) WriteTo(p []byte, to net.Addr) (int, error) {
	if at, ok := s.up.admit(len(p) + 28); ok {
		select {
		case s.queue <- waiting{at, append([]byte(nil), p...), to}:
		default:
		}
	}
	return len(p), nil
}

func (s *slow) Close() error {
	s.once.Do(func() { close(s.done) })
	return s.PacketConn.Close()
}

func newReader(text string) io.Reader { return strings.NewReader(text) }
