package camera

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// SupervisorOptions tune a Supervisor. The zero value is ready to use.
type SupervisorOptions struct {
	// Name names the camera in log lines; empty is left out.
	Name string
	// Logger receives one line per change of state; nil discards them.
	Logger *slog.Logger
	// MinBackoff and MaxBackoff bound the wait between two connections, which
	// doubles from one to the other and is jittered downwards by up to a half.
	// A connection that delivered units starts over. Defaults 1 s and 30 s;
	// so the first wait is 0.5 to 1 s.
	MinBackoff, MaxBackoff time.Duration
	// ConnectTimeout is how long a source may take to announce its tracks.
	// Default 45 s, which leaves room for trying another transport.
	ConnectTimeout time.Duration
	// DataTimeout ends a connection on which no unit arrives. Default 10 s.
	DataTimeout time.Duration
	// KeyFrameTimeout ends a connection with video that has not delivered a
	// key frame. Default 15 s.
	KeyFrameTimeout time.Duration
	// RepeatLog is how long the same log line is held back after it was
	// written; the next one says how often. Default 10 minutes.
	RepeatLog time.Duration
}

func (o SupervisorOptions) withDefaults() SupervisorOptions {
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	set(&o.MinBackoff, time.Second)
	set(&o.MaxBackoff, 30*time.Second)
	o.MaxBackoff = max(o.MaxBackoff, o.MinBackoff)
	set(&o.ConnectTimeout, 45*time.Second)
	set(&o.DataTimeout, 10*time.Second)
	set(&o.KeyFrameTimeout, 15*time.Second)
	set(&o.RepeatLog, 10*time.Minute)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Name != "" {
		o.Logger = o.Logger.With("camera", o.Name)
	}
	return o
}

// retryAfterer is an error that asks for a longer wait before the next
// attempt: a wrong password, tried too often, locks the account of many cameras.
type retryAfterer interface{ RetryAfter() time.Duration }

// waiter is an error that knows when another attempt is worth while: when a camera has
// been plugged in again, say. Wait blocks until then or until ctx ends, and for some
// tenths of a second at least. The next attempt is made then, or after the usual wait.
type waiter interface {
	error
	Wait(ctx context.Context)
}

// publicError is an error with a text for those who may watch and no more: it names no
// address, path, program or user.
type publicError interface {
	error
	Public() string
}

// interrupter is an Output that wants to know when a connection ended: what
// comes next does not continue what came before.
type interrupter interface{ Interrupt() }

// Supervisor keeps a camera connected: it runs a Source again and again, ends
// connections that deliver nothing, makes the PTS of consecutive connections
// one rising sequence, and tells how things stand.
type Supervisor struct {
	// Constant after construction.
	source Source
	out    Output
	opts   SupervisorOptions

	// Owned by Run.
	backoff  backoff
	timeline timeline

	mu       sync.Mutex // guards what follows
	lines    lineLimiter
	status   Status
	watchers map[*watcher]struct{}
	warned   map[string]string // last text logged, by kind
}

// NewSupervisor returns a supervisor that hands the units of source to out.
// It does nothing before Run.
//
// If out has a method Interrupt(), it is called whenever a connection that
// announced tracks has ended.
func NewSupervisor(source Source, out Output, opts SupervisorOptions) *Supervisor {
	opts = opts.withDefaults()
	return &Supervisor{
		source:   source,
		out:      out,
		opts:     opts,
		backoff:  backoff{low: opts.MinBackoff, high: opts.MaxBackoff},
		lines:    lineLimiter{every: opts.RepeatLog},
		status:   Status{State: Connecting, Since: time.Now()},
		watchers: make(map[*watcher]struct{}),
		warned:   make(map[string]string),
	}
}

// Run keeps the camera connected until ctx ends and returns ctx's error. It
// may be called once.
func (s *Supervisor) Run(ctx context.Context) error {
	for {
		err := s.connect(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := s.backoff.wait()
		var r retryAfterer
		if errors.As(err, &r) {
			wait = max(wait, r.RetryAfter())
		}
		s.setOffline(ctx, err, wait)
		pause(ctx, wait, err)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// pause waits until ctx ends, the time is over, or err says that another attempt is
// worth while.
func pause(ctx context.Context, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if w, ok := errors.AsType[waiter](err); ok {
		w.Wait(ctx)
		return
	}
	<-ctx.Done()
}

// connect runs one connection and returns why it ended.
func (s *Supervisor) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.clearWarnings()
	s.timeline.reconnect()
	c := newConnection(s, time.Now())

	watch := make(chan struct{})
	go func() {
		defer close(watch)
		if err := c.watch(ctx); err != nil {
			cancel(err)
		}
	}()
	err := s.run(ctx, c)
	ended, _ := errors.AsType[*watchdogError](context.Cause(ctx))
	cancel(nil)
	<-watch
	c.close()

	if c.announced() {
		if i, ok := s.out.(interrupter); ok {
			i.Interrupt()
		}
	}
	if c.delivered() {
		s.backoff.reset()
	}
	switch {
	case ended != nil:
		return ended
	case err == nil:
		return watchdogErrorf("the camera ended the connection")
	}
	return err
}

// run runs the source. One that does not end when the watchdog ended its connection is
// told of meanwhile: a driver that hangs cannot be interrupted.
func (s *Supervisor) run(ctx context.Context, c *connection) error {
	const patience = 5 * time.Second
	done := make(chan error, 1)
	go func() { done <- s.source.Run(ctx, c) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-t.C:
	}
	if ended, ok := errors.AsType[*watchdogError](context.Cause(ctx)); ok {
		c.close()
		s.setOffline(ctx, fmt.Errorf("%w; it hangs, and is tried again when it no longer does", ended), 0)
	}
	return <-done
}

// RequestKeyFrame asks the camera for a key frame, where it can be asked.
func (s *Supervisor) RequestKeyFrame() {
	if r, ok := s.source.(KeyFrameRequester); ok {
		r.RequestKeyFrame()
	}
}

// SetWatched tells the source whether somebody watches, where it wants to know.
func (s *Supervisor) SetWatched(watched bool) {
	if a, ok := s.source.(Attentive); ok {
		a.SetWatched(watched)
	}
}

// Status returns how things stand.
func (s *Supervisor) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status.clone()
}

// Watch returns a channel that holds the newest status whenever it changed,
// beginning with the current one. A reader that is slow misses statuses in
// between, never the last one. stop releases the channel, which is then closed.
func (s *Supervisor) Watch() (statuses <-chan Status, stop func()) {
	w := &watcher{c: make(chan Status, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[w] = struct{}{}
	w.offer(s.status.clone())
	return w.c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, ok := s.watchers[w]; ok {
			delete(s.watchers, w)
			close(w.c)
		}
	}
}

// update changes the status and tells the watchers, unless nothing changed.
func (s *Supervisor) update(change func(Status) Status) (before, after Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, after = s.status, change(s.status)
	s.status = after
	for w := range s.watchers {
		w.offer(after.clone())
	}
	return before, after
}

func (s *Supervisor) setLive(ctx context.Context, now time.Time) {
	before, _ := s.update(func(st Status) Status {
		st.State, st.Since, st.Reason, st.Public, st.Failures = Live, now, "", "", 0
		return st
	})
	var attrs []slog.Attr
	if before.State == Offline {
		attrs = append(attrs, slog.Duration("offline_for", now.Sub(before.Since).Round(time.Second)))
	}
	if held, ok := s.mayLog("live", now); ok {
		s.opts.Logger.LogAttrs(ctx, slog.LevelInfo, "camera is live", append(attrs, held...)...)
	}
}

func (s *Supervisor) setOffline(ctx context.Context, err error, wait time.Duration) {
	now := time.Now()
	_, after := s.update(func(st Status) Status {
		if st.State != Offline {
			st.State, st.Since = Offline, now
		}
		st.Reason, st.Public = err.Error(), ""
		if p, ok := errors.AsType[publicError](err); ok {
			st.Public = p.Public()
		}
		st.Failures++
		return st
	})
	held, ok := s.mayLog("offline "+after.Reason, now)
	if !ok {
		return
	}
	attrs := []slog.Attr{
		slog.String("reason", after.Reason), slog.Int("failures", after.Failures),
		slog.Duration("retry_in", wait.Round(time.Millisecond)),
	}
	s.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "camera is offline", append(attrs, held...)...)
}

// mayLog reports whether a line may be written, or was written a short while
// ago, and what to add to it.
func (s *Supervisor) mayLog(line string, now time.Time) (held []slog.Attr, ok bool) {
	s.mu.Lock()
	n, ok := s.lines.allow(line, now)
	s.mu.Unlock()
	if n > 0 {
		held = append(held, slog.Int("held_back", n))
	}
	return held, ok
}

// warn records a warning and logs it when its text is new.
func (s *Supervisor) warn(kind, text string) {
	s.update(func(st Status) Status { return st.withWarning(kind, text) })
	if text == "" {
		return
	}
	s.mu.Lock()
	fresh := s.warned[kind] != text && (s.warned[kind] != "" || len(s.warned) < maxWarnings)
	if fresh {
		s.warned[kind] = text
	}
	s.mu.Unlock()
	if fresh {
		s.opts.Logger.Warn("the camera needs another setting", "kind", kind, "warning", text)
	}
}

// clearWarnings withdraws what the last connection warned of: the next one
// warns again if it still holds.
func (s *Supervisor) clearWarnings() {
	old := s.Status().Warnings
	if len(old) == 0 {
		return
	}
	s.update(func(st Status) Status {
		st.Warnings = nil
		return st
	})
	for _, w := range old {
		s.out.Warn(w.Kind, "")
	}
}

// watchdogError says how a connection ended as the supervisor saw it.
type watchdogError struct{ text string }

func (e *watchdogError) Error() string { return e.text }

// Public implements publicError: what the supervisor sees, every viewer may know.
func (e *watchdogError) Public() string { return e.text }

func watchdogErrorf(format string, args ...any) *watchdogError {
	return &watchdogError{text: fmt.Sprintf(format, args...)}
}
