package peer

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxChunk is the largest message written, in bytes: what every WebRTC
	// implementation takes, and small enough that channels take turns.
	maxChunk = 16 << 10
	// maxMessage is the largest message read, in bytes.
	maxMessage = 64 << 10
	// initialWindow is what a sender may send on a windowed channel before the
	// first window message, in bytes.
	initialWindow = 64 << 10
	// channelLinger is how long a closed connection goes on sending what was
	// written before Close.
	channelLinger = 10 * time.Second
)

var (
	errMessageTooLarge = fmt.Errorf("message of more than %d bytes", maxMessage)
	errWindowOverrun   = errors.New("the other side sent more than its window")
)

// rawChannel is what a detached data channel is to a channelConn.
type rawChannel interface {
	ReadDataChannel(p []byte) (n int, text bool, err error)
	WriteDataChannel(p []byte, text bool) (int, error)
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	Close() error
}

// channelOptions describe a channelConn.
type channelOptions struct {
	// Windowed turns on flow control per channel (channelProtocol).
	Windowed bool
	// Window is how many unread bytes are held at most; initialWindow if less.
	Window int
	// Local and Remote name the two ends.
	Local, Remote channelAddr
}

// channelConn is a data channel as a net.Conn: one HTTP connection.
//
// Writes return when the bytes are on their way (at most maxChunk of them
// wait), and block while the other side does not take them. Reads return io.EOF
// after the other side closed, and io.ErrUnexpectedEOF if the session ended
// instead. Deadlines are those of net.Conn and reach blocked calls. Safe for
// concurrent use.
//
// Two goroutines serve a channelConn from run until the channel is gone; they
// belong to the channelSet.
type channelConn struct {
	// Constant after construction.
	raw      rawChannel
	windowed bool
	window   uint64
	local    channelAddr
	remote   channelAddr
	in       *inbox
	out      *outbox

	closed chan struct{} // closed by Close
	stop   chan struct{} // closed when nothing more is to be sent
	abrupt chan struct{} // closed by abort
	gone   chan struct{} // closed when nothing more arrives

	closeOnce, stopOnce, abortOnce sync.Once

	granted atomic.Uint64 // the window last told to the other side
	refused atomic.Bool   // the channel is to be reset without a word

	mu     sync.Mutex
	linger *time.Timer
	done   bool // both goroutines have ended
}

var _ net.Conn = (*channelConn)(nil)

// newChannelConn returns a connection over a detached channel. It does nothing
// until run is called.
func newChannelConn(raw rawChannel, o channelOptions) *channelConn {
	window := max(o.Window, initialWindow)
	allowed := uint64(math.MaxUint64)
	if o.Windowed {
		allowed = initialWindow
	}
	c := &channelConn{
		raw:      raw,
		windowed: o.Windowed,
		window:   uint64(window), // at least initialWindow
		local:    o.Local,
		remote:   o.Remote,
		in:       newInbox(window),
		out:      newOutbox(allowed),
		closed:   make(chan struct{}),
		stop:     make(chan struct{}),
		abrupt:   make(chan struct{}),
		gone:     make(chan struct{}),
	}
	c.granted.Store(initialWindow)
	return c
}

// run serves the connection until the channel is gone.
func (c *channelConn) run() {
	var sender sync.WaitGroup
	sender.Go(c.send)
	c.receive()
	sender.Wait()
	c.mu.Lock()
	c.done = true
	if c.linger != nil {
		c.linger.Stop()
	}
	c.mu.Unlock()
}

// Read implements net.Conn.
func (c *channelConn) Read(p []byte) (int, error) {
	n, err := c.in.read(p, c.closed)
	if n > 0 && c.windowed && c.windowDue() {
		notify(c.out.work)
	}
	return n, err
}

// Write implements net.Conn.
func (c *channelConn) Write(p []byte) (int, error) { return c.out.write(p, c.closed) }

// Close implements net.Conn. Blocked calls return net.ErrClosed; what was
// written before is still sent, for at most channelLinger, by the connection's
// own goroutine, which Close does not wait for. Idempotent.
func (c *channelConn) Close() error {
	c.closeOnce.Do(func() {
		close(c.closed)
		c.in.drop()
		c.mu.Lock()
		if !c.done {
			c.linger = time.AfterFunc(channelLinger, c.stopSending)
		}
		c.mu.Unlock()
		notify(c.out.work)
	})
	return nil
}

// abort closes the connection without sending what is left and ends its
// goroutines, even if the other side never answers.
func (c *channelConn) abort() {
	c.abortOnce.Do(func() {
		close(c.abrupt)
		c.stopSending() // before Close, or the other side could be sent a fin and take this for a clean end
		_ = c.Close()
		_ = c.raw.SetReadDeadline(time.Unix(1, 0))
	})
}

// stopSending makes the sender reset the channel and leave.
func (c *channelConn) stopSending() {
	c.stopOnce.Do(func() {
		close(c.stop)
		_ = c.raw.SetWriteDeadline(time.Unix(1, 0))
	})
}

// LocalAddr implements net.Conn.
func (c *channelConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn. Its host and port are the other side's at the
// time the channel was opened; the path may change later.
func (c *channelConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *channelConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *channelConn) SetReadDeadline(t time.Time) error {
	if isClosed(c.closed) {
		return net.ErrClosed
	}
	c.in.deadline.Set(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *channelConn) SetWriteDeadline(t time.Time) error {
	if isClosed(c.closed) {
		return net.ErrClosed
	}
	c.out.deadline.Set(t)
	return nil
}

// receive moves messages into the inbox until the channel ends. After Close it
// goes on reading, and forgets what it reads: bytes left unread would fill the
// window that all channels of the session share.
func (c *channelConn) receive() {
	defer close(c.gone)
	buf := make([]byte, maxChunk)
	for !isClosed(c.abrupt) {
		n, text, err := c.raw.ReadDataChannel(buf)
		if errors.Is(err, io.ErrShortBuffer) && n <= maxMessage && len(buf) < maxMessage {
			buf = make([]byte, maxMessage)
			continue
		}
		if errors.Is(err, io.ErrShortBuffer) {
			err = errMessageTooLarge
		}
		if err != nil {
			c.ended(err)
			return
		}
		if n > 0 {
			c.arrived(buf[:n], text)
		}
	}
	c.ended(net.ErrClosed)
}

// arrived takes one message that is not empty.
func (c *channelConn) arrived(msg []byte, text bool) {
	switch {
	case c.windowed && text:
		ctl, err := parseControl(msg)
		switch {
		case err != nil:
			c.refuse(err)
		case ctl.fin:
			c.in.end(io.EOF)
			c.refused.Store(true)
			c.out.end(c.problem("write to", io.ErrClosedPipe, "the other side closed it"))
		default:
			c.out.allow(ctl.window)
		}
	case isClosed(c.closed) || c.refused.Load():
	case c.windowed:
		if !c.in.offer(msg) {
			c.refuse(errWindowOverrun)
		}
	default:
		// Text is taken as the bytes it is: a browser may send a request as a
		// string.
		c.in.put(msg, c.closed, c.abrupt)
	}
}

// refuse ends the connection because the other side breaks the rules.
func (c *channelConn) refuse(err error) {
	c.refused.Store(true)
	err = c.problem("use", err, "closed")
	c.in.end(err)
	c.out.end(err)
}

// ended tells readers and writers that the channel is gone.
func (c *channelConn) ended(err error) {
	switch {
	case errors.Is(err, errMessageTooLarge):
		c.refuse(err)
		return
	case err == io.EOF && !c.windowed: //nolint:errorlint // exactly EOF: the channel was reset
		c.in.end(io.EOF)
	default:
		c.in.end(c.problem("read from", io.ErrUnexpectedEOF, err.Error()))
	}
	c.out.end(c.problem("write to", io.ErrClosedPipe, err.Error()))
}

func (c *channelConn) problem(op string, err error, detail string) error {
	return fmt.Errorf("peer: %s channel %s: %w (%s)", op, c.remote, err, detail)
}

// windowDue reports whether enough was read to tell the other side.
func (c *channelConn) windowDue() bool {
	return c.in.count()+c.window-c.granted.Load() >= c.window/4
}

// send moves what is written into messages until the connection is closed and
// all is sent, or the channel is gone. It is the only writer of the raw
// channel, and resets it in the end.
func (c *channelConn) send() {
	defer func() { _ = c.raw.Close() }()
	var buf []byte
	finished := false // fin is sent; the other side is to reset the channel
	for {
		closed := isClosed(c.closed) // looked at before over: abort stops first, then closes
		if c.over() {
			return
		}
		var err error
		var left bool
		switch buf, left = c.step(buf, finished); {
		case c.windowed && !closed && c.windowDue():
			err = c.grant()
		case len(buf) > 0:
			// Sent below: one write a turn keeps the order.
		case closed && !left && !finished:
			if !c.windowed {
				return
			}
			finished = true
			_, err = c.raw.WriteDataChannel([]byte(controlFin), true)
		default:
			c.await()
		}
		if err == nil && len(buf) > 0 {
			_, err = c.raw.WriteDataChannel(buf, false)
		}
		if err != nil {
			c.out.end(c.problem("write to", io.ErrClosedPipe, err.Error()))
			return
		}
	}
}

// step returns what is to be sent next.
func (c *channelConn) step(buf []byte, finished bool) (chunk []byte, left bool) {
	if finished {
		return buf[:0], false
	}
	return c.out.next(buf)
}

// over reports whether there is no point in sending any more.
func (c *channelConn) over() bool {
	return isClosed(c.stop) || isClosed(c.gone) || c.refused.Load()
}

// grant tells the other side how much it may send in all.
func (c *channelConn) grant() error {
	w := c.in.count() + c.window
	c.granted.Store(w)
	_, err := c.raw.WriteDataChannel(appendWindow(nil, w), true)
	return err
}

func (c *channelConn) await() {
	select {
	case <-c.out.work:
	case <-c.stop:
	case <-c.gone:
	}
}

// channelAddr names one end of a channel: the host and port of the path, and
// the channel's number after a '#', so that net.SplitHostPort finds the host.
type channelAddr struct {
	path string // host:port, or empty if not known
	id   uint16
}

// Network implements net.Addr.
func (channelAddr) Network() string { return "webrtc" }

// String implements net.Addr: "192.0.2.7:50123#4".
func (a channelAddr) String() string {
	path := a.path
	if path == "" {
		path = "webrtc:0"
	}
	return path + "#" + strconv.Itoa(int(a.id))
}
