package portmap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// controlPort is the UDP port on which routers speak PCP and NAT-PMP (RFC 6887
// §19.1).
const controlPort = 5351

// firstWait and sends say how a request is repeated: after 250, 500 and 1000 ms it
// is given up. That is RFC 6886 §3.1, cut short, for PCP too, whose own 3 s (§8.1.1)
// suit a server further away than the next router.
const (
	firstWait = 250 * time.Millisecond
	sends     = 3
	// lateRead is for an answer that came while this machine stood still: a socket
	// whose deadline has passed gives nothing out that it has.
	lateRead = 50 * time.Millisecond
)

// ask sends a request and returns once accept took an answer. Only what comes from
// the server's address and port to ours is looked at, and no more than most bytes
// of it: longer messages are none. The packet given to accept is not kept. first is the first wait.
func ask(ctx context.Context, local netip.Addr, server netip.AddrPort, first time.Duration, request []byte, most int, accept func(packet []byte) bool) error {
	// A connected socket: the system lets nobody else's packets in.
	conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)), net.UDPAddrFromAddrPort(server))
	if err != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	packet := make([]byte, most+1)
	for wait, n := first, 0; n < sends; wait, n = 2*wait, n+1 {
		if _, err := conn.Write(request); err != nil {
			return noAnswer(ctx, err)
		}
		answered, err := hear(conn, wait, packet, accept)
		if err == nil && !answered && n == sends-1 {
			answered, err = hear(conn, lateRead, packet, accept)
		}
		if err != nil {
			return noAnswer(ctx, err)
		}
		if answered {
			return nil
		}
	}
	return fmt.Errorf("%w in %s", errNoAnswer, first<<sends-first)
}

// hear reads for some time, and reports whether accept took something.
func hear(conn *net.UDPConn, wait time.Duration, packet []byte, accept func(packet []byte) bool) (bool, error) {
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return false, err
	}
	for {
		size, err := conn.Read(packet)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if size < len(packet) && accept(packet[:size]) {
			return true, nil
		}
	}
}

// noAnswer names why a socket does not work: ctx ended, or nobody listens (the
// router's ICMP message comes back as a refused connection).
func noAnswer(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", errNoAnswer, err)
}
