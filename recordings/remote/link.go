package remote

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/viewer"
)

// link keeps one session with up to 16 cameras of an agent.
type link struct {
	// Constant after construction.
	o       *Options
	ids     []string
	byID    map[string]*recording
	streams []*stream
	refused chan struct{} // capacity 1: the agent does not give these cameras

	partial partial // the filler's

	mu        sync.Mutex
	current   Session // nil while there is none
	reason    string
	since     time.Time
	connected bool
}

func newLink(o *Options, recs []*recording, refused chan struct{}) *link {
	l := &link{o: o, byID: make(map[string]*recording, len(recs)), refused: refused, since: time.Now()}
	for _, rec := range recs {
		l.ids = append(l.ids, rec.camera.Remote())
		l.byID[rec.camera.Remote()] = rec
		l.streams = append(l.streams, rec.streams...)
	}
	return l
}

// lasting is how long a session must have lasted for the next attempt not to wait
// longer than the one before.
const lasting = 10 * time.Second

// run keeps the session until ctx ends.
func (l *link) run(ctx context.Context, dial dialer) {
	wait := backoff{low: l.o.MinBackoff, high: l.o.MaxBackoff}
	for ctx.Err() == nil {
		begun := time.Now()
		err := l.connect(ctx, dial)
		if ctx.Err() != nil {
			break
		}
		if time.Since(begun) > lasting {
			wait.reset()
		}
		l.set(nil, awayReason(err))
		l.o.Logger.Debug("the session with the agent ended, or none came about", "error", err)
		if _, ok := errors.AsType[*viewer.RejectedError](err); ok {
			select {
			case l.refused <- struct{}{}:
			default:
			}
		}
		_ = sleep(ctx, wait.next())
	}
	l.set(nil, "The recorder has stopped.")
}

// awayReason says in a sentence for people why there is no session. It says nothing
// that an agent has said.
func awayReason(err error) string {
	if _, refused := errors.AsType[*viewer.RejectedError](err); refused {
		return "The agent refuses this recorder."
	}
	if errors.Is(err, errNoCamera) {
		return "The agent has no camera that this recorder may watch."
	}
	return "The agent cannot be reached."
}

// connect runs one session and returns why it ended.
func (l *link) connect(ctx context.Context, dial dialer) error {
	sound := false
	for _, s := range l.streams {
		sound = sound || s.sound
	}
	s, err := dial(ctx, Want{Cameras: l.ids, Sound: sound, Patience: l.o.Patience})
	if err != nil {
		return err
	}
	life, cancel := context.WithCancel(ctx)
	a := &attached{ctx: life, http: s.HTTP(), urgent: &urgency{}}
	for _, rec := range l.byID {
		rec.attach(ctx, a)
	}
	l.set(s, "")
	l.o.Logger.Info("connected to the agent")
	var running sync.WaitGroup
	f := &filler{o: l.o, streams: l.streams, session: a, partial: &l.partial}
	running.Go(func() { f.run(life) })
	err = l.read(life, s, dial)
	cancel()
	running.Wait()
	for _, rec := range l.byID {
		rec.attach(ctx, nil)
	}
	_ = s.Close()
	if ctx.Err() == nil {
		l.o.Logger.Info("the connection to the agent was lost", "reason", err)
	}
	return err
}

// read hands on the frames until the session ends.
func (l *link) read(ctx context.Context, s Session, dial dialer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var watching sync.WaitGroup
	defer watching.Wait()
	var frames atomic.Uint64
	v := &vigil{session: s, dial: dial, patience: l.o.Patience, frames: &frames}
	watching.Go(func() {
		if err := v.run(ctx); err != nil {
			cancel(err)
		}
	})
	for {
		f, err := s.ReadFrame(ctx)
		if err != nil {
			cancel(err)
			return context.Cause(ctx)
		}
		frames.Add(1)
		rec := l.byID[f.Camera]
		if rec == nil {
			continue
		}
		rec.camera.frame(f)
		rec.frame(f)
	}
}

// set notes how the session stands.
func (l *link) set(s Session, reason string) {
	l.mu.Lock()
	if l.connected != (s != nil) || l.reason != reason {
		l.since = time.Now()
	}
	l.current, l.connected, l.reason = s, s != nil, reason
	l.mu.Unlock()
	for _, rec := range l.byID {
		rec.camera.set(s, reason)
	}
}

// session returns the present one; nil if there is none.
func (l *link) session() Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// state returns how the link stands.
func (l *link) state() (connected bool, reason string, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.connected, l.reason, l.since
}
