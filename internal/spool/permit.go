package spool

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// recheckEvery is how often it is asked, while a fragment leaves, whether its
// recorder may still have it.
const recheckEvery = 500 * time.Millisecond

// errTakenBack ends an answer whose recorder may not have it any more.
var errTakenBack = errors.New("the right to play back was taken back")

// permit ends an answer when the right to it is taken back, also one that waits for
// the network.
type permit struct {
	// Constant after construction.
	rc      *http.ResponseController
	allowed func() error
	cancel  context.CancelCauseFunc

	mu     sync.Mutex // guards what follows
	over   bool       // the right was taken back
	done   bool
	timer  *time.Timer
	checks sync.WaitGroup // the timer, while it is set
}

// newPermit returns a permit and a context that ends with the right. close has to be
// called.
func newPermit(ctx context.Context, rc *http.ResponseController, allowed func() error) (context.Context, *permit) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &permit{rc: rc, allowed: allowed, cancel: cancel}
	p.checks.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(recheckEvery, p.check)
	return ctx, p
}

// check asks whether the answer may go on.
func (p *permit) check() {
	defer p.checks.Done()
	err := p.allowed()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.done:
	case err == nil:
		p.checks.Add(1)
		p.timer.Reset(recheckEvery)
	default:
		p.over = true
		_ = p.rc.SetWriteDeadline(time.Unix(1, 0)) // ends a write that waits
		p.cancel(errTakenBack)
	}
}

// extend gives the next portion its time.
func (p *permit) extend() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return errTakenBack
	}
	_ = p.rc.SetWriteDeadline(time.Now().Add(writeTime)) // not every connection has one
	return nil
}

// close ends the checks and waits for one that runs.
func (p *permit) close() {
	p.mu.Lock()
	p.done = true
	if p.timer.Stop() {
		p.checks.Done()
	}
	p.mu.Unlock()
	p.checks.Wait()
	p.cancel(nil)
}
