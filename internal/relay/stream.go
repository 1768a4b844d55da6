package relay

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// silence is how long a stream may stay without an allocation: TLS and the
	// first requests take less.
	silence = 30 * time.Second
	// writeTimeout is how long a client may take to read one packet.
	writeTimeout = 10 * time.Second
)

// errFrame says that a stream does not hold TURN.
var errFrame = errors.New("neither STUN nor channel data")

// stream is a client's TCP connection, given to pion/turn. Every Read returns one
// whole STUN message: pion's own framing trusts lengths too far. Read is for one
// goroutine.
type stream struct {
	net.Conn // TCP, or TLS over raw
	// constant after construction
	listener *listener
	raw      net.Conn
	from, to netip.AddrPort
	r        *bufio.Reader

	allocation atomic.Pointer[allocation]
	removed    sync.Once
}

func newStream(l *listener, raw net.Conn, config *tls.Config) *stream {
	s := &stream{Conn: raw, listener: l, raw: raw, from: addrPort(raw.RemoteAddr()), to: addrPort(raw.LocalAddr())}
	if config != nil {
		s.Conn = tls.Server(raw, config)
	}
	s.r = bufio.NewReaderSize(s.Conn, 2*mtu)
	_ = raw.SetReadDeadline(time.Now().Add(silence)) // of a closed connection, at worst
	return s
}

// frameSize returns the length of a STUN message or of channel data with its
// padding, by its first four bytes (RFC 8656 §12.5, RFC 8489 §6.2.2).
func frameSize(head []byte) (int, error) {
	size := int(binary.BigEndian.Uint16(head[2:]))
	switch head[0] >> 6 {
	case 0:
		if size%4 == 0 && stunHeader+size < mtu {
			return stunHeader + size, nil
		}
	case 1:
		if padded := channelHeader + (size+3)&^3; padded < mtu {
			return padded, nil
		}
	}
	return 0, errFrame
}

// Read implements net.Conn; see stream.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.next(p)
	if err != nil {
		if errors.Is(err, errFrame) {
			s.listener.server.drop(droppedFrame)
		}
		_ = s.Close()
		s.listener.remove(s)
	}
	return n, err
}

func (s *stream) next(p []byte) (int, error) {
	for {
		head, err := s.r.Peek(channelHeader)
		if err != nil {
			return 0, err
		}
		size, err := frameSize(head)
		if err != nil {
			return 0, err
		}
		if size > len(p) {
			return 0, errFrame
		}
		frame := p[:size]
		if _, err := io.ReadFull(s.r, frame); err != nil {
			return 0, err
		}
		switch server := s.listener.server; {
		case frame[0]>>6 == 1:
			if a := s.allocation.Load(); a != nil {
				a.forward(frame)
			}
		case isRequest(frame) && !server.throttle.allow(time.Now(), s.from.Addr()):
			server.drop(droppedThrottled)
		default:
			return size, nil
		}
	}
}

// Write implements net.Conn. A client that does not read is cut off.
func (s *stream) Write(p []byte) (int, error) {
	_ = s.raw.SetWriteDeadline(time.Now().Add(writeTimeout)) // writing will tell
	n, err := s.Conn.Write(p)
	if err != nil {
		_ = s.Close()
	}
	return n, err
}

// Close implements net.Conn. It does not wait for the farewell of TLS.
func (s *stream) Close() error { return s.raw.Close() }

func (s *stream) attach(a *allocation) {
	_ = s.raw.SetReadDeadline(time.Time{}) // reading will tell; before detach may set another
	s.allocation.Store(a)
	s.listener.gate.ConnState(s.raw, http.StateActive)
}

// detach gives the client a moment to read the answer that ended its allocation.
func (s *stream) detach(a *allocation) {
	if s.allocation.CompareAndSwap(a, nil) {
		_ = s.raw.SetReadDeadline(time.Now().Add(writeTimeout)) // reading will tell
	}
}
