package netcheck

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"

	"github.com/sightline-cam/sightline/internal/nat"
)

// That nothing came says something of a router only if something would have come.
// This machine, or the server, may have stood still for seconds: a single-board
// computer that is busy does. So what is silent is held against a control, a
// question sent after it to a server that answers, and silence counts once the
// control was answered.

const (
	// sends is how often a request goes out before its silence counts, and settle how
	// long each of them has before the control is sent.
	sends  = 3
	settle = 500 * time.Millisecond
)

// errSilent says that a request was not answered, though the control was.
var errSilent = errors.New("no answer, though the server answers other requests")

// insist sends a request to an address that need not answer. The error is errSilent
// if no answer comes, while control, which has answered before, answers requests of
// the same socket that were sent later.
func (s *socket) insist(ctx context.Context, control, to netip.AddrPort, setters ...stun.Setter) (nat.Response, error) {
	q, err := s.Ask(to, stun.BindingRequest, setters...)
	if err != nil {
		return nat.Response{}, err
	}
	defer q.Forget()
	for range sends {
		_ = q.Send() // what does not go out is not answered
		timer := time.NewTimer(settle)
		select {
		case r := <-q.Answer():
			timer.Stop()
			return r, nil
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nat.Response{}, ctx.Err()
		}
		_, err := s.Do(ctx, control, stun.BindingRequest)
		select {
		case r := <-q.Answer():
			return r, nil
		default:
		}
		if err != nil {
			return nat.Response{}, err
		}
	}
	return nat.Response{}, errSilent
}

// witness is the first STUN server that answered.
type witness struct {
	once   sync.Once
	came   chan struct{}  // closed when it did
	server netip.AddrPort // constant from then on
}

// testify says that a server answers.
func (w *witness) testify(server netip.AddrPort) {
	w.once.Do(func() {
		w.server = server
		close(w.came)
	})
}

// enough returns once every server that answers at all has had time to, or ctx ends:
// another one has answered, and after a while answers again, now.
func (c *check) enough(ctx context.Context) {
	timer := time.NewTimer(sends * settle)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	select {
	case <-c.witness.came:
	case <-ctx.Done():
		return
	}
	network := "udp4"
	if !c.witness.server.Addr().Is4() {
		network = "udp6"
	}
	s, err := c.listen(network)
	if err != nil {
		<-ctx.Done()
		return
	}
	defer s.close()
	_, _ = s.Do(ctx, c.witness.server, stun.BindingRequest) // no answer: ctx has ended
}
