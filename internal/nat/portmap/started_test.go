package portmap

import (
	"context"
	"testing"
	"time"
)

const patience = 30 * time.Second

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
