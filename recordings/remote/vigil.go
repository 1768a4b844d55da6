package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// dialer is Options.Dial.
type dialer = func(context.Context, Want) (Session, error)

// vigil ends a session whose agent was started anew. Such an agent answers at the
// address of the one before, so that the path seems to be there, and knows nothing of
// the session; and it keeps little for recorders. Its goroutine, run, owns it.
type vigil struct {
	// Constant.
	session  Session
	dial     dialer
	patience time.Duration
	frames   *atomic.Uint64 // that have come
}

const (
	// silence is how long no frame may come before the agent is asked whether it is
	// still there, and askAgain how soon once more if it is: its cameras are off.
	silence  = 3 * time.Second
	askAgain = 10 * time.Second
	// moment is how long the answer takes if nothing is wrong. Then it is tried
	// whether another session answers, again and again.
	moment = 2 * time.Second
	// lastWord is how long the session may take to answer at most: longer than it
	// outlives its path, which may come back.
	lastWord = 35 * time.Second
)

var (
	// errSilent says that an agent does not answer any more.
	errSilent = errors.New("nothing comes from the agent, and it does not answer")
	// errAnew says that it answers others.
	errAnew = errors.New("the agent was started anew")
)

// run returns why the session is to be ended; nil with ctx.
func (v *vigil) run(ctx context.Context) error {
	wait := silence
	for last := uint64(0); sleep(ctx, wait) == nil; {
		if n := v.frames.Load(); n != last {
			last, wait = n, silence
			continue
		}
		if err := v.ask(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		wait = askAgain
	}
	return nil
}

// ask asks the agent for something, over the session and, if that takes long, over
// another.
func (v *vigil) ask(ctx context.Context) error {
	var asking sync.WaitGroup
	defer asking.Wait()
	ctx, cancel := context.WithTimeout(ctx, lastWord)
	defer cancel()
	answer := make(chan error, 1)
	asking.Go(func() {
		_, err := v.session.Cameras(ctx)
		answer <- err
	})
	for {
		select {
		case err := <-answer:
			return silent(err)
		case <-time.After(moment):
		}
		if !v.another(ctx) {
			continue
		}
		select { // it may have become better for both
		case err := <-answer:
			return silent(err)
		case <-time.After(moment):
			return errAnew
		}
	}
}

func silent(err error) error {
	if err != nil {
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return nil
}

// another reports whether the agent answers over another session.
func (v *vigil) another(ctx context.Context) bool {
	s, err := v.dial(ctx, Want{Patience: v.patience})
	if err != nil {
		return false
	}
	defer s.Close() //nolint:errcheck // it has nothing to tell
	_, err = s.Cameras(ctx)
	return err == nil
}
