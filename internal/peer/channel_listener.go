package peer

// For the answering side:
//
//	func newChannelListener(limit int) *channelListener
//	func (l *channelListener) handle(dc *webrtc.DataChannel)  // call it from pc.OnDataChannel
//	func (l *channelListener) Accept() (net.Conn, error)      // net.Listener: Session.Listener()
//	func (l *channelListener) Close() error                   // no new connections; open ones go on
//	func (l *channelListener) abort()                         // Close, end all connections, wait for their goroutines
//	func (l *channelListener) Flooded() <-chan struct{}       // closed once the other side opened too much: end the session
//	func (l *channelListener) rejected() uint64
//
// The SettingEngine needs DetachDataChannels() and
// EnableDataChannelBlockWrite(true). abort may come before or after the
// PeerConnection's GracefulClose.

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/pion/webrtc/v4"
)

const (
	// defaultChannelLimit is how many connections a session may have open.
	defaultChannelLimit = 64
	// maxRejected is how many channels beyond that, or of unknown labels, a
	// session may open before it counts as an attack: pion keeps some state of
	// each until the session ends.
	maxRejected = 1024
)

// channelListener makes a net.Listener of the data channels that the other side
// of a PeerConnection opens.
type channelListener struct {
	set     channelSet
	backlog chan net.Conn // capacity limit: never full
	closed  chan struct{}
	flooded chan struct{}

	closeOnce sync.Once

	rejects atomic.Uint64
}

var _ net.Listener = (*channelListener)(nil)

// newChannelListener returns a listener for at most limit connections at a
// time; 0 means defaultChannelLimit.
func newChannelListener(limit int) *channelListener {
	if limit <= 0 {
		limit = defaultChannelLimit
	}
	return &channelListener{
		set:     channelSet{limit: limit, window: initialWindow},
		backlog: make(chan net.Conn, limit),
		closed:  make(chan struct{}),
		flooded: make(chan struct{}),
	}
}

// handle takes a channel that the other side opened. It does not block. A
// channel of another label, above the limit or after Close is closed and
// counted.
func (l *channelListener) handle(dc *webrtc.DataChannel) {
	dc.OnOpen(func() {
		if dc.Label() != channelLabel || !dc.Ordered() || isClosed(l.closed) {
			l.reject(dc)
			return
		}
		c, err := l.set.open(dc)
		if err != nil {
			l.count()
			return
		}
		l.deliver(c)
	})
}

// deliver hands a connection to Accept.
func (l *channelListener) deliver(c *channelConn) {
	select {
	case l.backlog <- c:
	default: // closed ones that nobody accepted fill it
		_ = c.Close()
		l.count()
		return
	}
	if isClosed(l.closed) {
		l.drain()
	}
}

// reject closes a channel that is not served.
func (l *channelListener) reject(dc *webrtc.DataChannel) {
	if raw, err := dc.Detach(); err == nil {
		_ = raw.Close()
	}
	l.count()
}

func (l *channelListener) count() {
	if l.rejects.Add(1) == maxRejected {
		close(l.flooded)
	}
}

// rejected returns how many channels were closed at once.
func (l *channelListener) rejected() uint64 { return l.rejects.Load() }

// Flooded returns a channel that is closed once the other side has opened so
// many useless channels that the session should end.
func (l *channelListener) Flooded() <-chan struct{} { return l.flooded }

// Accept implements net.Listener. After Close it returns net.ErrClosed.
func (l *channelListener) Accept() (net.Conn, error) {
	if isClosed(l.closed) {
		return nil, net.ErrClosed
	}
	select {
	case c := <-l.backlog:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener: blocked Accepts return, connections not
// accepted yet are closed, accepted ones go on. Idempotent.
func (l *channelListener) Close() error {
	l.closeOnce.Do(func() { close(l.closed) })
	l.drain()
	return nil
}

func (l *channelListener) drain() {
	for {
		select {
		case c := <-l.backlog:
			_ = c.Close()
		default:
			return
		}
	}
}

// abort closes the listener and all its connections at once and waits for
// their goroutines. Idempotent.
func (l *channelListener) abort() {
	_ = l.Close()
	l.set.abort()
}

// Addr implements net.Listener.
func (l *channelListener) Addr() net.Addr { return channelAddr{path: "webrtc:0"} }
