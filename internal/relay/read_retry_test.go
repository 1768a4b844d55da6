package relay

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
)

// failing is a socket of which the first reads fail.
type failing struct {
	net.PacketConn
	left atomic.Int64
}

func (f *failing) ReadFrom(p []byte) (int, net.Addr, error) {
	if f.left.Add(-1) >= 0 {
		return 0, nil, errors.New("network is down")
	}
	return f.PacketConn.ReadFrom(p)
}

func TestServer_ReadsOnAfterErrors(t *testing.T) {
	var out bytes.Buffer
	s := start(t, func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(&out, nil))
		f := &failing{PacketConn: o.Sockets[0].Conn}
		f.left.Store(freeErrors + 2)
		o.Sockets[0].Conn = f
		o.TURN.Listen = func(network, address string) (net.PacketConn, error) {
			c, err := listenUDP(network, address)
			f := &failing{PacketConn: c}
			f.left.Store(freeErrors + 2)
			return f, err
		}
	})
	exchange(t, allocate(t, s.client(newAgent(t))), peer(t), 2)
	if err := s.Close(); err != nil { // nothing is logged any more
		t.Error(err)
	}
	if n := strings.Count(out.String(), "network is down"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, out.String())
	}
}

func TestReadRetry_GivesUp(t *testing.T) {
	s := start(t, nil)
	r := readRetry{failed: maxErrors - 1}
	if r.again(s.Server, errors.New("broken")) {
		t.Error("it goes on for ever")
	}
	r.failed = 0
	if r.again(s.Server, net.ErrClosed) {
		t.Error("it reads a closed socket")
	}
}
