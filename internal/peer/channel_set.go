package peer

import (
	"errors"
	"net"
	"strconv"
	"sync"

	"github.com/pion/webrtc/v4"
)

// errTooManyChannels says that a session has its limit of connections open.
var errTooManyChannels = errors.New("too many channels are open in this session: close one first")

// channelSet owns the connections of a session and their goroutines.
type channelSet struct {
	limit  int // constant: connections at most
	window int // constant: receive window of each, bytes

	wg sync.WaitGroup

	mu     sync.Mutex
	conns  map[*channelConn]struct{}
	closed bool
}

// open makes a connection of a data channel that is open, and serves it. A
// place in the set is taken until the other side has let go of the channel too.
func (s *channelSet) open(dc *webrtc.DataChannel) (*channelConn, error) {
	raw, err := dc.DetachWithDeadline()
	if err != nil {
		return nil, err
	}
	c := newChannelConn(raw, channelOptions{
		Windowed: dc.Protocol() == channelProtocol,
		Window:   s.window,
		Local:    channelEnd(dc, false),
		Remote:   channelEnd(dc, true),
	})
	if err := s.add(c); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return c, nil
}

// add serves c until it ends.
func (s *channelSet) add(c *channelConn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	if len(s.conns) >= s.limit {
		return errTooManyChannels
	}
	if s.conns == nil {
		s.conns = make(map[*channelConn]struct{})
	}
	s.conns[c] = struct{}{}
	s.wg.Go(func() {
		c.run()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	})
	return nil
}

// size returns how many connections are open.
func (s *channelSet) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// abort ends all connections at once, refuses new ones and waits for the
// goroutines. Idempotent.
func (s *channelSet) abort() {
	s.mu.Lock()
	s.closed = true
	conns := make([]*channelConn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.abort()
	}
	s.wg.Wait()
}

// channelEnd names an end of a channel by the path in use.
func channelEnd(dc *webrtc.DataChannel, remote bool) channelAddr {
	var a channelAddr
	if id := dc.ID(); id != nil {
		a.id = *id
	}
	sctp := dc.Transport()
	if sctp == nil || sctp.Transport() == nil || sctp.Transport().ICETransport() == nil {
		return a
	}
	pair, err := sctp.Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return a
	}
	c := pair.Local
	if remote {
		c = pair.Remote
	}
	if c != nil {
		a.path = net.JoinHostPort(c.Address, strconv.Itoa(int(c.Port)))
	}
	return a
}
