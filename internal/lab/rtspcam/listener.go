package rtspcam

import (
	"io"
	"net"
	"sync"
	"testing"
)

// StartListener starts a TCP server that hands every connection to handle, in
// a goroutine of its own, and returns its rtsp URL. The end of the test closes
// all connections and waits for the goroutines.
func StartListener(tb testing.TB, handle func(net.Conn)) string {
	tb.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	return ServeListener(tb, l, handle)
}

// ServeListener is StartListener with a listener that somebody else opened, such
// as in another network namespace.
func ServeListener(tb testing.TB, l net.Listener, handle func(net.Conn)) string {
	tb.Helper()
	var (
		running sync.WaitGroup
		mu      sync.Mutex // guards what follows
		closed  bool
		open    = make(map[net.Conn]struct{})
	)
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			if closed {
				mu.Unlock()
				_ = conn.Close()
				return
			}
			open[conn] = struct{}{}
			mu.Unlock()
			running.Go(func() {
				handle(conn)
				_ = conn.Close()
				mu.Lock()
				delete(open, conn)
				mu.Unlock()
			})
		}
	})
	tb.Cleanup(func() {
		mu.Lock()
		closed = true
		for conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		_ = l.Close()
		running.Wait()
	})
	return "rtsp://" + l.Addr().String() + "/stream"
}

// Silent is a camera that accepts connections and never answers.
func Silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// Garbage is a camera that answers every request with noise.
func Garbage(conn net.Conn) {
	request := make([]byte, 4096)
	noise := []byte("\x00\xff\x17garbage \x1b[31m rtsp \r\n\r\n\x24\x00\xff\xff")
	for {
		if _, err := conn.Read(request); err != nil {
			return
		}
		if _, err := conn.Write(noise); err != nil {
			return
		}
	}
}

// Hangup is a camera that closes every connection at once.
func Hangup(net.Conn) {}
