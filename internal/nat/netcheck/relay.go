package netcheck

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/pion/stun/v4"
)

// request sends a request and waits for its answer.
type request func(ctx context.Context, kind stun.MessageType, setters ...stun.Setter) (*stun.Message, error)

// relay asks a TURN server for a relayed address (RFC 8656 §7) and gives it back.
func (c *check) relay(ctx context.Context, s relayServer) RelayReport {
	r := RelayReport{URL: s.url, Transport: s.transport, Problem: s.problem}
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	start := time.Now()
	do, done, err := c.connect(ctx, s)
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	defer done()
	allocateType := stun.NewType(stun.MethodAllocate, stun.ClassRequest)
	udp := stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}} // RFC 8656 §18.8
	m, err := do(ctx, allocateType, udp)
	if err != nil {
		r.Problem = "no answer over " + nameOf(s.transport)
		return r
	}
	r.RTTms = time.Since(start).Milliseconds()
	r.Reachable = true
	var setters []stun.Setter
	if m.Type.Class == stun.ClassErrorResponse && errorCode(m) == stun.CodeUnauthorized {
		if s.username == "" {
			r.Problem = "it wants a login, and none is known; run this where an agent runs, which has one"
			return r
		}
		login, err := loginOf(m, s)
		if err != nil {
			r.Problem = err.Error()
			return r
		}
		setters = login
		if m, err = do(ctx, allocateType, append([]stun.Setter{udp}, setters...)...); err != nil {
			r.Problem = "it asked for the login and then went silent"
			return r
		}
	}
	if m.Type.Class != stun.ClassSuccessResponse {
		r.Problem = explainRefusal(errorCode(m))
		return r
	}
	var relayed stun.XORMappedAddress
	if relayed.GetFromAs(m, stun.AttrXORRelayedAddress) != nil {
		r.Problem = "its answer has no relayed address; is it a TURN server?"
		return r
	}
	if ip, ok := netip.AddrFromSlice(relayed.IP); ok {
		r.Relayed = netip.AddrPortFrom(ip.Unmap(), uint16(relayed.Port))
	}
	r.Usable = true
	// Given back, since agents have only so many at a time; it ends by itself too.
	lifetime := stun.RawAttribute{Type: stun.AttrLifetime, Value: []byte{0, 0, 0, 0}}
	_, _ = do(ctx, stun.NewType(stun.MethodRefresh, stun.ClassRequest), append([]stun.Setter{lifetime}, setters...)...)
	return r
}

// loginOf returns the attributes of a long-term credential (RFC 8489 §9.2.3).
func loginOf(m *stun.Message, s relayServer) ([]stun.Setter, error) {
	var realm stun.Realm
	var nonce stun.Nonce
	if realm.GetFrom(m) != nil || nonce.GetFrom(m) != nil {
		return nil, errors.New("it asks for a login without saying how; is it a TURN server?")
	}
	return []stun.Setter{
		stun.NewUsername(s.username), stun.NewRealm(realm.String()), stun.NewNonce(nonce.String()),
		stun.NewLongTermIntegrity(s.username, realm.String(), s.credential),
	}, nil
}

func errorCode(m *stun.Message) stun.ErrorCode {
	var code stun.ErrorCodeAttribute
	if code.GetFrom(m) != nil {
		return 0
	}
	return code.Code
}

// explainRefusal says what the error of an Allocate means (RFC 8656 §19). The
// server's own words are left out: anyone could write anything there.
func explainRefusal(code stun.ErrorCode) string {
	switch code {
	case stun.CodeUnauthorized:
		return "it refuses the login; the clock of this device or of the server may be wrong, or their shared secrets differ"
	case stun.CodeStaleNonce:
		return "it refuses the login as too old; try again"
	case stun.CodeForbidden:
		return "it does not relay for this agent; its operator has to enrol it"
	case stun.CodeAllocQuotaReached:
		return "this agent has used up its share of the relay; wait until some of its sessions end, or ask the operator for more"
	case stun.CodeInsufficientCapacity:
		return "the relay is full; try again later"
	default: // nothing that a person could do more about
	}
	return fmt.Sprintf("it refuses to relay (error %d); look into its log", int(code))
}

func nameOf(transport string) string {
	switch transport {
	case "tcp":
		return "TCP"
	case "tls":
		return "TLS"
	}
	return "UDP"
}

// connect opens what the requests to a relay go over.
func (c *check) connect(ctx context.Context, s relayServer) (do request, done func(), err error) {
	if s.transport == "udp" {
		return c.overUDP(ctx, s)
	}
	opening, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := c.o.Dial(opening, "tcp", net.JoinHostPort(s.host, strconv.Itoa(int(s.port))))
	if err != nil {
		return nil, nil, errors.New(explainDial(err))
	}
	if s.transport == "tls" {
		config := c.o.TLS.Clone()
		config.ServerName = s.host
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(opening); err != nil {
			_ = conn.Close()
			return nil, nil, errors.New(explainHTTP(err, s.host))
		}
		conn = secure
	}
	unwatch := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return overStream(conn), func() { unwatch(); _ = conn.Close() }, nil
}

func (c *check) overUDP(ctx context.Context, s relayServer) (request, func(), error) {
	addrs, err := c.lookup(ctx, s.host, s.port)
	if err != nil {
		return nil, nil, err
	}
	network := "udp4" // what most have; the other is tried when there is no choice
	if !addrs[0].Addr().Is4() {
		network = "udp6"
	}
	sock, err := c.listen(network)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, kind stun.MessageType, setters ...stun.Setter) (*stun.Message, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		res, err := sock.Do(ctx, addrs[0], kind, setters...)
		return res.Message, err
	}, sock.close, nil
}
