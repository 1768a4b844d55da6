package relay

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// Server answers STUN and TURN. Start makes it, Close ends it.
type Server struct {
	// constant after construction
	opts         Options
	turn         *TURN // nil: STUN only
	log          *slog.Logger
	metrics      *metrics
	accounts     *accounts
	throttle     *throttle
	destinations *destinations
	sockets      []*socket
	listeners    []*listener
	at           []netip.AddrPort // where clients see the sockets
	other        []alternatives
	pion         *turn.Server // nil: STUN only

	toldRead atomic.Bool // that reading a socket failed

	done    chan struct{}  // closed by Close
	running sync.WaitGroup // readers of sockets, streams and allocations

	mu sync.RWMutex
	// guarded by mu
	closed bool
	relays map[netip.AddrPort]*allocation // by public address
}

// Start checks the options and starts to serve. If it fails, the sockets are the
// caller's still.
func Start(o Options) (*Server, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registry)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: o, turn: o.TURN, log: o.Logger, metrics: m, accounts: newAccounts(&o.Limits), throttle: newThrottle(&o.Limits),
		destinations: &destinations{own: make(map[netip.Addr]bool)},
		done:         make(chan struct{}), relays: make(map[netip.AddrPort]*allocation),
	}
	for i, c := range o.Sockets {
		at := c.Public
		if !at.IsValid() {
			at = addrPort(c.Conn.LocalAddr())
		}
		s.at = append(s.at, at)
		s.sockets = append(s.sockets, &socket{
			server: s, conn: newUDPConn(c.Conn), index: i, ended: sync.OnceFunc(s.running.Done),
			allocations: make(map[netip.AddrPort]*allocation),
		})
	}
	s.other = arrange(s.at)
	s.running.Add(len(s.sockets))
	if s.turn == nil {
		for _, sock := range s.sockets {
			go sock.serve()
		}
		return s, nil
	}
	return s, s.startTURN()
}

func (s *Server) startTURN() error {
	s.destinations.allowed = s.turn.Allow
	s.ownAddresses()
	c := turn.ServerConfig{
		LoggerFactory: silentLogs{}, Realm: s.turn.Realm, InboundMTU: mtu,
		AuthHandler: s.authenticate, QuotaHandler: s.quota, EventHandler: s.events(),
	}
	for _, sock := range s.sockets {
		c.PacketConnConfigs = append(c.PacketConnConfigs, turn.PacketConnConfig{
			PacketConn: sock, RelayAddressGenerator: relays{s}, PermissionHandler: s.permit(sock.allocation),
		})
	}
	for _, l := range s.turn.Listeners {
		l := newListener(s, l)
		s.listeners = append(s.listeners, l)
		c.ListenerConfigs = append(c.ListenerConfigs, turn.ListenerConfig{
			Listener: l, RelayAddressGenerator: relays{s}, PermissionHandler: s.permit(l.allocation),
		})
	}
	var err error
	if s.pion, err = turn.NewServer(c); err != nil {
		return fmt.Errorf("start the relay: %w", err)
	}
	return nil
}

// ownAddresses notes what belongs to this machine from the start.
func (s *Server) ownAddresses() {
	var own []netip.Addr
	for i, c := range s.opts.Sockets {
		own = append(own, s.at[i].Addr(), addrPort(c.Conn.LocalAddr()).Addr())
	}
	for _, l := range s.turn.Listeners {
		own = append(own, addrPort(l.Addr()).Addr())
	}
	for _, r := range s.turn.Relays {
		own = append(own, r.Listen, r.Public)
	}
	for _, ip := range own {
		if ip = ip.Unmap().WithZone(""); ip.IsValid() && !ip.IsUnspecified() {
			s.destinations.own[ip] = true
		}
	}
	s.destinations.list = s.turn.Own
	s.destinations.refresh(time.Now(), s.log)
}

// Alternates returns the addresses of this server by which a client can examine
// its NAT, as far as they are two of a kind (RFC 5780); none otherwise.
func (s *Server) Alternates() []netip.AddrPort {
	for i, o := range s.other {
		if o.both >= 0 {
			return []netip.AddrPort{s.at[s.other[i].port], s.at[o.both]}
		}
	}
	return nil
}

// Ports returns the port of the first socket and, if there is one, the other
// port at the same address.
func (s *Server) Ports() []uint16 {
	if len(s.at) == 0 {
		return nil
	}
	ports := []uint16{s.at[0].Port()}
	if i := s.other[0].port; i >= 0 {
		ports = append(ports, s.at[i].Port())
	}
	return ports
}

// Close ends every allocation, closes the sockets, and returns when nothing is
// read from them any more. Idempotent.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		s.running.Wait()
		return nil
	}
	s.closed = true
	close(s.done)
	open := make([]*allocation, 0, len(s.relays))
	for _, a := range s.relays {
		open = append(open, a)
	}
	s.mu.Unlock()
	var err error
	if s.pion != nil {
		err = s.pion.Close()
	} else {
		for _, sock := range s.sockets {
			err = errors.Join(err, sock.Close())
		}
	}
	for _, a := range open {
		err = errors.Join(err, a.Close())
	}
	s.running.Wait()
	return err
}

func (s *Server) closing() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *Server) drop(reason string) { s.metrics.dropped.WithLabelValues(reason).Inc() }

// silentLogs keeps pion's own log lines to itself: the metrics and this
// package's logger say what an operator can use.
type silentLogs struct{}

// NewLogger implements logging.LoggerFactory.
func (silentLogs) NewLogger(string) logging.LeveledLogger { return silentLog{} }

type silentLog struct{}

func (silentLog) Trace(string)          {}
func (silentLog) Tracef(string, ...any) {}
func (silentLog) Debug(string)          {}
func (silentLog) Debugf(string, ...any) {}
func (silentLog) Info(string)           {}
func (silentLog) Infof(string, ...any)  {}
func (silentLog) Warn(string)           {}
func (silentLog) Warnf(string, ...any)  {}
func (silentLog) Error(string)          {}
func (silentLog) Errorf(string, ...any) {}
