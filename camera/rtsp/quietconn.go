package rtsp

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

const (
	// beat is how often a quiet connection is read. It is what a recording may be
	// behind the camera because nobody watches.
	beat = 100 * time.Millisecond
	// quietBuffer is how much is read at once, in bytes, and above which a quiet
	// connection is read before its beat: half a second of 4 Mbit/s.
	quietBuffer = 256 << 10
)

// quietConn is a connection that is read at once while somebody watches, and
// otherwise every beat: all cameras at the same instant, whatever has come by then.
// A camera's picture comes in bursts of packets, and waking up for each of them
// costs several times what their content does.
type quietConn struct {
	net.Conn

	// Owned by the reader.
	buf  []byte // what was read and not asked for yet
	room []byte

	quiet atomic.Bool
}

// Read implements net.Conn.
func (c *quietConn) Read(p []byte) (int, error) {
	for {
		if len(c.buf) > 0 {
			n := copy(p, c.buf)
			c.buf = c.buf[n:]
			return n, nil
		}
		quiet := c.quiet.Load()
		if !quiet {
			if err := c.SetReadDeadline(time.Time{}); err != nil {
				return 0, err
			}
			if c.quiet.Load() {
				continue
			}
			n, err := c.Conn.Read(p)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				continue // setQuiet woke it
			}
			return n, err
		}
		if c.room == nil {
			c.room = make([]byte, quietBuffer)
		}
		if err := c.SetReadDeadline(nextBeat(time.Now())); err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(c.room) // returns before its deadline only what is there already, or is much
		if n > 0 {
			c.buf = c.room[:n]
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
}

// nextBeat returns the first beat that is some time away; all connections have the
// same.
func nextBeat(now time.Time) time.Time {
	return now.Add(beat - time.Duration(now.UnixNano())%beat)
}

// setQuiet says whether data may wait. Any goroutine may call it.
func (c *quietConn) setQuiet(quiet bool) {
	if c.quiet.Swap(quiet) == quiet {
		return
	}
	lowWater := 1
	if quiet {
		lowWater = quietBuffer
	}
	setLowWater(c.Conn, lowWater)
	_ = c.SetReadDeadline(time.Now()) // the reader looks again; a closed connection needs no waking
}
