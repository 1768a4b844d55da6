// Package freeport gives tests ports of loopback for programs that have to be told one,
// and for servers that stop and come back.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// The numbers: below those that systems give to whoever asks for any port or dials
// (from 32768 on), and those that agents choose for themselves (from 20000 on). One of
// either may be gone again before it is used.
const (
	first = 10_000
	ports = 10_000
)

// given are the ports that this process has asked for.
var given sync.Map //nolint:gochecknoglobals // of this process, whichever test asks

// Get returns a port of 127.0.0.1 that nobody has opened, for TCP and for UDP; another
// one each time.
func Get(tb testing.TB) int {
	tb.Helper()
	for range 1000 {
		port := first + rand.IntN(ports)
		if _, again := given.LoadOrStore(port, true); !again && isFree(port) {
			return port
		}
	}
	tb.Fatalf("no port of loopback from %d to %d is free", first, first+ports-1)
	return 0
}

// Address is Get as "127.0.0.1:port".
func Address(tb testing.TB) string {
	tb.Helper()
	return address(Get(tb))
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func isFree(port int) bool {
	l, err := net.Listen("tcp", address(port)) //nolint:noctx // it is closed at once
	if err != nil {
		return false
	}
	defer func() { _ = l.Close() }()
	c, err := net.ListenPacket("udp", address(port)) //nolint:noctx // it is closed at once
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
