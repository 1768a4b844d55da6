package relay

import (
	"encoding/binary"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// mtu is the longest packet that is relayed, and what pion/turn reads at most.
	mtu = 1600
	// channelHeader is the length of a channel data message's header (RFC 8656
	// §12.4).
	channelHeader = 4
	// maxPermissions bounds the addresses that one allocation may talk to at a
	// time.
	maxPermissions = 256
	// maxChannels bounds its channels, of which each costs memory, and time when
	// the allocation ends.
	maxChannels = 256
	// minCharge is what a packet costs of a budget at least, in bytes: to the
	// networks in between an empty one is one too.
	minCharge = 64
)

// allocation is a relay's socket, given to pion/turn as a net.PacketConn. Channel
// data does not go through pion: it would allocate several times for a packet.
type allocation struct {
	// constant after construction
	server  *Server
	account *account
	conn    udpConn
	public  netip.AddrPort
	ended   func() // the reader has ended; once

	client atomic.Pointer[client] // nil until pion says whose it is
	peers  atomic.Pointer[peers]  // replaced as a whole

	changing sync.Mutex // held by who replaces peers

	closing  sync.Once
	closed   atomic.Bool // the end has begun
	closeErr error       // written by closing

	buffer [channelHeader + mtu + 3]byte // the reader's
}

// client is where an allocation's packets go: a UDP socket's client, or a stream.
type client struct {
	socket *socket
	at     netip.AddrPort
	stream *stream // nil if socket is set
}

// write sends channel data, for which there is room for padding behind frame.
func (c *client) write(frame []byte) {
	if c.stream == nil {
		_ = c.socket.conn.write(frame, c.at) // as lost as any datagram
		return
	}
	// Over TCP a message is padded to four bytes (RFC 8656 §12.5).
	_, _ = c.stream.Write(frame[: (len(frame)+3)&^3 : cap(frame)]) // the stream ends then
}

// peers are whom a client may talk to.
type peers struct {
	permitted map[netip.Addr]bool
	byNumber  map[uint16]netip.AddrPort
	byPeer    map[netip.AddrPort]uint16
}

// change replaces the peers by a changed copy.
func (a *allocation) change(f func(*peers)) {
	a.changing.Lock()
	defer a.changing.Unlock()
	old := a.peers.Load()
	p := &peers{maps.Clone(old.permitted), maps.Clone(old.byNumber), maps.Clone(old.byPeer)}
	f(p)
	a.peers.Store(p)
}

// ReadFrom implements net.PacketConn: packets of peers that have no channel.
// Others it forwards itself.
func (a *allocation) ReadFrom(p []byte) (int, net.Addr, error) {
	var retry readRetry
	for {
		n, from, err := a.conn.read(a.buffer[channelHeader : channelHeader+mtu])
		if err != nil {
			if retry.again(a.server, err) {
				continue
			}
			_ = a.Close()
			a.ended()
			return 0, nil, err
		}
		retry.failed = 0
		peers := a.peers.Load()
		// A stranger's packets are not the agent's expense.
		if !peers.permitted[from.Addr()] {
			a.server.drop(droppedStranger)
			continue
		}
		if n == mtu || n > len(p) || !a.spend(n) {
			continue // perhaps cut short, or above a limit
		}
		a.server.metrics.toClient.add(n)
		number, ok := peers.byPeer[from]
		if !ok {
			return copy(p, a.buffer[channelHeader:channelHeader+n]), net.UDPAddrFromAddrPort(from), nil
		}
		binary.BigEndian.PutUint16(a.buffer[0:], number)
		binary.BigEndian.PutUint16(a.buffer[2:], uint16(n))
		clear(a.buffer[channelHeader+n : channelHeader+n+3]) // the padding
		if c := a.client.Load(); c != nil {
			c.write(a.buffer[:channelHeader+n])
		}
	}
}

// forward sends channel data of the client's to its peer. It reports whether
// frame was a message of an open channel.
func (a *allocation) forward(frame []byte) bool {
	size := int(binary.BigEndian.Uint16(frame[2:]))
	if size > len(frame)-channelHeader {
		a.server.drop(droppedFrame)
		return false
	}
	peer, ok := a.peers.Load().byNumber[binary.BigEndian.Uint16(frame)]
	if !ok {
		a.server.drop(droppedStranger)
		return false
	}
	a.send(frame[channelHeader:channelHeader+size], peer)
	return true
}

// WriteTo implements net.PacketConn: what clients send without a channel. pion
// has looked for the permission.
func (a *allocation) WriteTo(p []byte, to net.Addr) (int, error) {
	a.send(p, addrPort(to))
	return len(p), nil // what is not relayed is lost, as any datagram may be
}

func (a *allocation) send(p []byte, peer netip.AddrPort) {
	s := a.server
	if peer.Port() == 0 || s.destinations.relaysOnly(peer.Addr()) && !s.relayAt(peer) {
		s.drop(droppedDestination)
		return
	}
	if !a.spend(len(p)) {
		return
	}
	if a.conn.write(p, peer) == nil {
		s.metrics.toPeer.add(len(p))
	}
}

// spend reports whether n bytes may be relayed. When the day's budget is spent,
// the agent's or that of all, the allocation ends.
func (a *allocation) spend(n int) bool {
	reason, first := a.account.spend(time.Now(), max(n, minCharge))
	if reason == "" {
		return true
	}
	a.server.drop(reason)
	switch {
	case first && reason == refusedTotalBudget:
		a.server.log.Warn("the relay's budget for all agents is spent for today; if they are yours, raise it")
	case first:
		a.server.log.Warn("an agent has spent its budget of the relay for today", "agent", a.account.agent.Short())
	}
	if reason == refusedBudget || reason == refusedTotalBudget {
		_ = a.Close() // pion's reader then ends and forgets the allocation
	}
	return false
}

// Close implements net.PacketConn. Idempotent; every caller waits for the first.
func (a *allocation) Close() error {
	a.closing.Do(func() {
		a.closed.Store(true)
		a.closeErr = a.conn.Close()
		if c := a.client.Load(); c != nil {
			c.forget(a)
		}
		a.server.forget(a)
	})
	return a.closeErr
}

// forget ends what the client had by an allocation.
func (c *client) forget(a *allocation) {
	if c.stream != nil {
		c.stream.detach(a)
		return
	}
	c.socket.detach(c.at, a)
}

// LocalAddr implements net.PacketConn.
func (a *allocation) LocalAddr() net.Addr { return a.conn.LocalAddr() }

// SetDeadline implements net.PacketConn.
func (a *allocation) SetDeadline(t time.Time) error { return a.conn.SetDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (a *allocation) SetReadDeadline(t time.Time) error { return a.conn.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn.
func (a *allocation) SetWriteDeadline(t time.Time) error { return a.conn.SetWriteDeadline(t) }
