package attacks

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// world is where one try of an attack happens: programs of one build, started
// for it alone and ended with it.
type world struct {
	*testing.T
	// Constant.
	ctx      context.Context
	programs *builds
	off      []check.Name // switched off in the programs; none in the ordinary build
}

func newWorld(t *testing.T, programs *builds, off check.Name) *world {
	ctx, cancel := context.WithTimeout(t.Context(), attackTimeout)
	t.Cleanup(cancel)
	w := &world{T: t, ctx: ctx, programs: programs}
	if off != "" {
		w.off = []check.Name{off}
	}
	return w
}

// fallen returns the world with a further check off in the programs that are
// started in it, in both tries: for defences behind one that has fallen already.
func (w *world) fallen(n check.Name) *world {
	more := *w
	more.off = append([]check.Name{n}, w.off...)
	return &more
}

// weakened reports whether a check is off in the world's programs.
func (w *world) weakened(n check.Name) bool { return slices.Contains(w.off, n) }

// newIdentity makes a key that lives in memory.
func (w *world) newIdentity() *identity.Identity {
	w.Helper()
	id, err := identity.Generate()
	if err != nil {
		w.Fatal(err)
	}
	return id
}

// folder makes a folder with a short path: the name of a Unix socket has at most
// 107 bytes, and those of tests are long.
func (w *world) folder() string {
	w.Helper()
	dir, err := os.MkdirTemp("", "sl-")
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// pollEvery is the time between two looks at a condition.
const pollEvery = 20 * time.Millisecond

// until waits until a condition holds.
func (w *world) until(holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	return poll(ctx, holds)
}

func poll(ctx context.Context, holds func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ok, err := holds()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("it did not come about in time")
		}
	}
}

// unlessRefused runs work until it ends or the counter rises, which is all that
// shows of a refusal that nobody is told of.
func (w *world) unlessRefused(refused func() (float64, error), work func(ctx context.Context) error) error {
	before, err := refused()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	watch, stop := context.WithCancel(ctx)
	counted := make(chan bool, 1)
	go func() {
		rose := poll(watch, func() (bool, error) {
			now, err := refused()
			return now > before, err
		}) == nil
		counted <- rose
		if rose {
			cancel()
		}
	}()
	err = work(ctx)
	stop()
	if rose := <-counted; err != nil && rose {
		return &refusal{}
	}
	return err
}
