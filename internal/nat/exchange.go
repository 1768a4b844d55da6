package nat

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

const (
	// firstWait is the first retransmission timeout of a STUN request; it doubles
	// each time up to lastWait (RFC 8489 §6.2.1, with the shorter start that a
	// path of today allows).
	firstWait = 250 * time.Millisecond
	lastWait  = 2 * time.Second
	// maxPending bounds the requests under way.
	maxPending = 4096
)

// ErrBusy says that too many requests are under way.
var ErrBusy = errors.New("too many STUN requests are under way")

// Exchange sends STUN requests over a socket that somebody else reads, and
// matches the answers. Safe for concurrent use.
type Exchange struct {
	write func(p []byte, to netip.AddrPort) error // constant

	mu      sync.Mutex
	pending map[[stun.TransactionIDSize]byte]chan Response
}

// Response is an answer and where it came from.
type Response struct {
	Message *stun.Message
	From    netip.AddrPort
}

// NewExchange makes an Exchange that sends by write.
func NewExchange(write func(p []byte, to netip.AddrPort) error) *Exchange {
	return &Exchange{write: write, pending: make(map[[stun.TransactionIDSize]byte]chan Response)}
}

// Handle takes a packet that the socket received, and reports whether it is an
// answer to a request of this Exchange; then it is nobody else's. The packet is
// not kept. A response is recognized by its transaction id, 96 random bits, which
// only who saw the request knows. Its address is not compared: servers that are
// asked to answer from another one do so.
func (x *Exchange) Handle(p []byte, from netip.AddrPort) bool {
	// The class bits of a response: RFC 8489 §5.
	if len(p) < 20 || p[0] != 0x01 || !stun.IsMessage(p) {
		return false
	}
	var id [stun.TransactionIDSize]byte
	copy(id[:], p[8:20])
	x.mu.Lock()
	answer, ok := x.pending[id]
	x.mu.Unlock()
	if !ok {
		return false
	}
	m := &stun.Message{Raw: append([]byte(nil), p...)}
	if m.Decode() != nil {
		return true // it can be nothing else
	}
	select {
	case answer <- Response{m, from}:
	default: // one answer is enough
	}
	return true
}

// Do sends a request and waits for its answer, success or error, sending it again
// as long as ctx lasts. setters are the request's attributes beside type and
// transaction id; FINGERPRINT is added.
func (x *Exchange) Do(ctx context.Context, to netip.AddrPort, kind stun.MessageType, setters ...stun.Setter) (Response, error) {
	return x.Knock(ctx, firstWait, to, kind, setters...)
}

// Knock is Do with another first retransmission timeout.
func (x *Exchange) Knock(ctx context.Context, first time.Duration, to netip.AddrPort, kind stun.MessageType, setters ...stun.Setter) (Response, error) {
	q, err := x.Ask(to, kind, setters...)
	if err != nil {
		return Response{}, err
	}
	defer q.Forget()
	var failed error
	for wait := first; ; wait = min(2*wait, lastWait) {
		failed = q.Send() // what is unreachable now may not be in a moment
		timer := time.NewTimer(wait)
		select {
		case r := <-q.answer:
			timer.Stop()
			return r, nil
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			if failed != nil {
				return Response{}, fmt.Errorf("send to %s: %w", to, failed)
			}
			return Response{}, fmt.Errorf("no answer from %s: %w", to, ctx.Err())
		}
	}
}

// Question is a request that is sent when its owner says so. Its methods are called
// from one goroutine.
type Question struct {
	// Constant after construction.
	exchange *Exchange
	raw      []byte
	id       [stun.TransactionIDSize]byte
	to       netip.AddrPort
	answer   chan Response // holds one
}

// Ask makes a request as Do does and sends nothing yet. The caller forgets it at
// the end.
func (x *Exchange) Ask(to netip.AddrPort, kind stun.MessageType, setters ...stun.Setter) (*Question, error) {
	m, err := stun.Build(append(append([]stun.Setter{stun.TransactionID, kind}, setters...), stun.Fingerprint)...)
	if err != nil {
		return nil, fmt.Errorf("make a STUN request: %w", err)
	}
	q := &Question{exchange: x, raw: m.Raw, id: m.TransactionID, to: to, answer: make(chan Response, 1)}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.pending) >= maxPending {
		return nil, ErrBusy
	}
	x.pending[q.id] = q.answer
	return q, nil
}

// Send sends the request; again, if it was before.
func (q *Question) Send() error { return q.exchange.write(q.raw, q.to) }

// Answer returns the channel that the first answer, success or error, comes by.
func (q *Question) Answer() <-chan Response { return q.answer }

// Forget ends the wait for an answer.
func (q *Question) Forget() {
	q.exchange.mu.Lock()
	defer q.exchange.mu.Unlock()
	delete(q.exchange.pending, q.id)
}

// MappedAddress returns the address that a Binding success response saw the
// request come from (RFC 8489 §14.1, §14.2).
func MappedAddress(m *stun.Message) (netip.AddrPort, error) {
	if m.Type != stun.BindingSuccess {
		return netip.AddrPort{}, fmt.Errorf("the STUN server answered with %s", m.Type)
	}
	var xor stun.XORMappedAddress
	if err := xor.GetFrom(m); err == nil {
		return addrPort(xor.IP, xor.Port)
	}
	var plain stun.MappedAddress
	if err := plain.GetFrom(m); err != nil {
		return netip.AddrPort{}, fmt.Errorf("the STUN server's answer has no address: %w", err)
	}
	return addrPort(plain.IP, plain.Port)
}

func broadcast() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

func addrPort(ip []byte, port int) (netip.AddrPort, error) {
	a, ok := netip.AddrFromSlice(ip)
	a = a.Unmap()
	// What the server says is passed on to others, who send packets there.
	if !ok || port < 1 || port > 65535 || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() || a == broadcast() {
		return netip.AddrPort{}, errors.New("the STUN server's answer has no usable address")
	}
	return netip.AddrPortFrom(a, uint16(port)), nil
}
