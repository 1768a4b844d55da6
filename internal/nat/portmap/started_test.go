package portmap

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"
)

const patience = 2 * time.Minute

// patient returns who speaks with a router, as newMappers does, with time for a busy
// machine where there should be an answer.
func patient(answers ...Protocol) func(gateway, local netip.Addr, secret []byte) []way {
	return func(gateway, local netip.Addr, secret []byte) []way {
		all := newMappers(gateway, local, secret)
		for _, w := range all {
			if !slices.Contains(answers, w.protocol) {
				continue
			}
			switch m := w.mapper.(type) {
			case *pcp:
				m.wait = 2 * time.Second
			case *natPMP:
				m.wait = 10 * time.Second
			case *upnp:
				m.wait, m.patience, m.client.Timeout = 5*time.Second, patience, patience
			}
		}
		return all
	}
}

// started is a Client that runs until the test ends or stop is called.
type started struct {
	*Client
	changes chan struct{}
	stop    func() (took time.Duration)
}

func start(t *testing.T, opts Options) *started {
	t.Helper()
	s := &started{changes: make(chan struct{}, 1)}
	opts.OnChange = func() {
		select {
		case s.changes <- struct{}{}:
		default:
		}
	}
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Client = c
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }()
	s.stop = func() time.Duration {
		begin := time.Now()
		cancel()
		<-done
		return time.Since(begin)
	}
	t.Cleanup(func() { s.stop() })
	return s
}

// wait waits until the client is as it should be.
func (s *started) wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for !is() {
		select {
		case <-s.changes:
		case <-timeout.C:
			t.Fatalf("not in %s: %s; mappings %+v, report %+v", patience, what, s.Mappings(), s.Report())
		}
	}
}
