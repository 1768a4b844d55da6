package remote

import (
	"context"
	"errors"
	"io"
	"time"

	"golang.org/x/time/rate"
)

// errStalled says that an agent has stopped in the middle of an answer.
var errStalled = errors.New("nothing more of the answer comes")

const (
	// stall is how long an answer may make no progress, and step how many bytes are
	// progress: agents send at least a few kilobits a second.
	stall = 30 * time.Second
	step  = 4 << 10
)

// progress ends a request whose answer does not get on: it would keep others waiting
// for ever. One goroutine uses it.
type progress struct {
	ctx    context.Context //nolint:containedctx // the request's
	cancel context.CancelCauseFunc
	timer  *time.Timer
	read   int // since the timer was set
}

// newProgress returns a context for a request. end has to be called.
func newProgress(ctx context.Context) (context.Context, *progress) {
	p := &progress{}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	p.timer = time.AfterFunc(stall, func() { p.cancel(errStalled) })
	return p.ctx, p
}

func (p *progress) end() {
	p.timer.Stop()
	p.cancel(nil)
}

// cause returns errStalled for an error that comes of it.
func (p *progress) cause(err error) error {
	if errors.Is(context.Cause(p.ctx), errStalled) {
		return errStalled
	}
	return err
}

// of is a body whose bytes are progress.
func (p *progress) of(body io.Reader) io.Reader { return &progressReader{body, p} }

type progressReader struct {
	r io.Reader
	p *progress
}

// Read implements io.Reader.
func (r *progressReader) Read(b []byte) (int, error) {
	if err := r.p.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(b)
	if r.p.read += n; r.p.read >= step {
		r.p.read = 0
		r.p.timer.Reset(stall)
	}
	return n, err
}

// budgeted is a body that is read no faster than a budget of bits allows.
type budgeted struct {
	ctx  context.Context //nolint:containedctx // the request's
	r    io.Reader
	bits *rate.Limiter
}

// Read implements io.Reader.
func (b *budgeted) Read(p []byte) (int, error) {
	n, err := b.r.Read(p[:min(len(p), b.bits.Burst()/8)])
	if wait := b.bits.WaitN(b.ctx, 8*n); wait != nil {
		return n, wait
	}
	return n, err
}
