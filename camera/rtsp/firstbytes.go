package rtsp

import (
	"net"
	"strings"
	"sync/atomic"
)

// firstBytes is a connection whose first answer has to be RTSP's. The library
// skips what it does not understand, so that it would wait for an HTTP server
// or a printer until the timeout, and nobody would learn why.
type firstBytes struct {
	net.Conn
	addr    *address // constant
	checked atomic.Bool
}

// Read implements net.Conn.
func (c *firstBytes) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n == 0 || c.checked.Swap(true) {
		return n, err
	}
	const start = "RTSP/"
	got := string(b[:min(n, 40)])
	if strings.HasPrefix(got, start) || strings.HasPrefix(start, got) {
		return n, err
	}
	return 0, c.addr.errorf(Garbage, "what answers at %s does not speak RTSP (it says %q); "+
		"check the port (usually 554) and that it is a camera", c.addr.host(), c.addr.redact(got))
}
