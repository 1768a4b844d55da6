package remote

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/viewer"
)

// mute is a session that answers when it is told to.
type mute struct {
	Session
	answers atomic.Bool
	asked   atomic.Int32
	closed  atomic.Int32
}

func (m *mute) Cameras(ctx context.Context) ([]viewer.Camera, error) {
	m.asked.Add(1)
	if m.answers.Load() {
		return nil, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (m *mute) Close() error {
	m.closed.Add(1)
	return nil
}

func TestVigil_EndsASessionThatTheAgentDoesNotKnow(t *testing.T) {
	for _, c := range []struct {
		name             string
		answers, another bool // over the session, and over another
		want             error
		within           time.Duration
	}{
		{"started anew", false, true, errAnew, 10 * time.Second},
		{"away", false, false, errSilent, time.Minute},
		{"its cameras are off", true, true, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				session, other := &mute{}, &mute{}
				session.answers.Store(c.answers)
				other.answers.Store(true)
				dials, frames := 0, &atomic.Uint64{}
				v := &vigil{session: session, frames: frames, dial: func(ctx context.Context, _ Want) (Session, error) {
					if dials++; !c.another {
						<-time.After(time.Second)
						return nil, errors.New("no route")
					}
					return other, nil
				}}
				begun := time.Now()
				err := v.run(ctx)
				took := time.Since(begun)
				if !errors.Is(err, c.want) || c.want == nil && err != nil || c.want != nil && took > c.within {
					t.Errorf("after %v: %v", took, err)
				}
				if int(other.closed.Load()) != int(other.asked.Load()) {
					t.Error("the other session was left open")
				}
				if c.answers && (dials > 0 || session.asked.Load() > 70) {
					t.Errorf("an agent that answers was asked %d times and dialled %d times in 10 minutes", session.asked.Load(), dials)
				}
			})
		})
	}
}

func TestVigil_LeavesASessionAloneThatFramesComeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		session, frames := &mute{}, &atomic.Uint64{}
		v := &vigil{session: session, frames: frames, dial: func(context.Context, Want) (Session, error) {
			t.Error("dialled")
			return nil, errors.New("no")
		}}
		go func() {
			for sleep(ctx, time.Second) == nil {
				frames.Add(1)
			}
		}()
		if err := v.run(ctx); err != nil || session.asked.Load() > 0 {
			t.Errorf("%v, asked %d times", err, session.asked.Load())
		}
	})
}
