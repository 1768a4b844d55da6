package relay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/pion/turn/v5"

	"github.com/sightline-cam/sightline/internal/identity"
)

// portAttempts is how many ports are tried for one relay.
const portAttempts = 64

var (
	errFamily   = errors.New("no relay in this family of addresses")
	errNoPort   = errors.New("no free port for a relay")
	errClosing  = errors.New("the relay is closing")
	errNotUDP   = errors.New("only UDP is relayed")
	errEvenPort = errors.New("ports cannot be chosen")
)

// relays opens allocations for pion/turn.
type relays struct{ server *Server }

// Validate implements turn.RelayAddressGenerator.
func (r relays) Validate() error { return nil }

// AllocatePacketConn implements turn.RelayAddressGenerator.
func (r relays) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	// A UserID is missing when pion looks for an even port, for a pair of ports
	// as RTP had them once.
	if c.UserID == "" || c.RequestedPort != 0 {
		return nil, nil, errEvenPort
	}
	a, err := r.server.open(c.Network, identity.PeerID(c.UserID))
	if err != nil {
		return nil, nil, err
	}
	return a, net.UDPAddrFromAddrPort(a.public), nil
}

// AllocateListener implements turn.RelayAddressGenerator.
func (r relays) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNotUDP
}

// AllocateConn implements turn.RelayAddressGenerator.
func (r relays) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errNotUDP }

// open makes an allocation for an agent; network is "udp4" or "udp6".
func (s *Server) open(network string, agent identity.PeerID) (*allocation, error) {
	at, ok := s.address(network == "udp4")
	if !ok {
		return nil, errFamily
	}
	account, err := s.accounts.open(time.Now(), agent)
	if err != nil {
		s.metrics.refused.WithLabelValues(reasonOf(err)).Inc()
		return nil, err
	}
	conn, err := s.listen(network, at.Listen)
	if err != nil {
		s.accounts.close(account)
		return nil, err
	}
	local := addrPort(conn.LocalAddr())
	a := &allocation{
		server: s, account: account, conn: newUDPConn(conn), public: netip.AddrPortFrom(at.Public, local.Port()),
		ended: sync.OnceFunc(s.running.Done),
	}
	a.peers.Store(&peers{map[netip.Addr]bool{}, map[uint16]netip.AddrPort{}, map[netip.AddrPort]uint16{}})
	if !s.add(a) {
		s.accounts.close(account)
		return nil, errors.Join(errClosing, conn.Close())
	}
	s.metrics.allocations.Inc()
	return a, nil
}

// add enters an allocation, unless the server is closing.
func (s *Server) add(a *allocation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.relays[a.public] = a
	s.running.Add(1)
	return true
}

func (s *Server) address(ipv4 bool) (Address, bool) {
	for _, r := range s.turn.Relays {
		if r.Listen.Is4() == ipv4 {
			return r, true
		}
	}
	return Address{}, false
}

// listen opens a socket at a port that cannot be guessed.
func (s *Server) listen(network string, ip netip.Addr) (net.PacketConn, error) {
	var err error
	for range portAttempts {
		port := int(s.turn.MinPort) + rand.IntN(int(s.turn.MaxPort)-int(s.turn.MinPort)+1) //nolint:gosec // the permission is what protects it
		var c net.PacketConn
		if c, err = s.turn.Listen(network, net.JoinHostPort(ip.String(), strconv.Itoa(port))); err == nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: %w", errNoPort, err)
}

func listenUDP(network, address string) (net.PacketConn, error) {
	lc := net.ListenConfig{}
	return lc.ListenPacket(context.Background(), network, address)
}

// forget takes an allocation out that is closed.
func (s *Server) forget(a *allocation) {
	s.mu.Lock()
	if s.relays[a.public] == a { // else the port has a new one already
		delete(s.relays, a.public)
	}
	s.mu.Unlock()
	s.accounts.close(a.account)
	s.metrics.allocations.Dec()
}

// relayAt reports whether an address is that of an allocation.
func (s *Server) relayAt(a netip.AddrPort) bool { return s.relay(a) != nil }

func (s *Server) relay(a netip.AddrPort) *allocation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.relays[a]
}
