package portmap

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// deafMapper grants what it is asked for, and is never heard of again.
type deafMapper struct{}

func (deafMapper) request(_ context.Context, w wish) (grant, error) {
	return grant{external: outside("11.0.0.10:40000"), internal: w.port, lifetime: time.Hour}, nil
}

func (deafMapper) release(ctx context.Context, _ string, _ grant) error {
	<-ctx.Done()
	return ctx.Err()
}

// A client that stops while its router is gone does not wait for it, however many
// mappings it has there.
func TestClient_StopsInASecondWithoutItsRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, Options{Port: 40000, TCP: true, Gateway: home, mappers: func(netip.Addr, netip.Addr, []byte) []way {
			return []way{{PCP, deafMapper{}}}
		}})
		pass(time.Minute)
		if n := len(c.Mappings()); n != 2 {
			t.Fatalf("%d mappings", n)
		}
		if took := c.stop(); took != releaseWait {
			t.Errorf("it took %s to stop", took)
		}
	})
}
