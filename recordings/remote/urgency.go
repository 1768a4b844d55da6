package remote

import (
	"context"
	"sync/atomic"
	"time"
)

// urgency counts the requests that live recording waits for: what is fetched in the
// background waits for them. Safe for concurrent use.
type urgency struct{ n atomic.Int32 }

func (u *urgency) enter() { u.n.Add(1) }
func (u *urgency) leave() { u.n.Add(-1) }

// wait returns once nothing is urgent, or ctx ends.
func (u *urgency) wait(ctx context.Context) error {
	for u.n.Load() > 0 {
		if err := sleep(ctx, tick); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
