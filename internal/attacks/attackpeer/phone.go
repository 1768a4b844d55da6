package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/viewer"
)

// phone is a viewer with one key and any number of sessions.
type phone struct {
	// Constant.
	id *viewer.Identity

	mu       sync.Mutex // guards what follows
	out      *json.Encoder
	sessions map[string]*viewer.Session
}

func (p *phone) say(e event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.out.Encode(e) // whoever read it is gone, and stdin ends too
}

// obey carries out a command and says what became of it.
func (p *phone) obey(ctx context.Context, c command) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	var err error
	switch c.Do {
	case "dial":
		err = p.dial(ctx, c)
	case "cameras":
		err = p.with(c.Session, func(s *viewer.Session) error {
			list, err := s.Cameras(ctx)
			if err == nil && len(list) == 0 {
				err = errors.New("there is no camera")
			}
			return err
		})
	case "picture":
		err = p.with(c.Session, func(s *viewer.Session) error {
			_, err := s.ReadFrame(ctx)
			return err
		})
	case "close":
		err = p.with(c.Session, func(s *viewer.Session) error { return s.Close() })
	default:
		err = fmt.Errorf("unknown command %q", c.Do)
	}
	e := event{Event: "done", Do: c.Do, Session: c.Session}
	if err != nil {
		e.Event, e.Error = "failed", err.Error()
		e.Check, _ = check.Of(err)
	}
	p.say(e)
}

func (p *phone) dial(ctx context.Context, c command) error {
	s, err := viewer.Dial(ctx, viewer.Options{
		SignalURL: c.Signal, Identity: p.id, Peer: c.Peer, NoMedia: c.NoPicture, NoAudio: true,
		Timeout: c.timeout(), Loopback: true, Logger: slog.New(&ear{phone: p, session: c.Session}),
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions[c.Session] = s
	return nil
}

func (p *phone) with(name string, f func(*viewer.Session) error) error {
	p.mu.Lock()
	s := p.sessions[name]
	p.mu.Unlock()
	if s == nil {
		return fmt.Errorf("there is no session %q", name)
	}
	return f(s)
}

func (p *phone) closeAll() {
	p.mu.Lock()
	all := slices.Collect(maps.Values(p.sessions))
	p.mu.Unlock() // closing them has things to say
	for _, s := range all {
		_ = s.Close() // the end
	}
}

// ear listens to a session's log for errors that name their check: what the
// viewer refuses on the way it does not tell otherwise.
type ear struct {
	phone   *phone
	session string
}

// Enabled implements slog.Handler.
func (*ear) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (e *ear) WithAttrs([]slog.Attr) slog.Handler { return e }

// WithGroup implements slog.Handler.
func (e *ear) WithGroup(string) slog.Handler { return e }

// Handle implements slog.Handler.
func (e *ear) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		err, ok := a.Value.Any().(error)
		if !ok {
			return true
		}
		if name, refused := check.Of(err); refused {
			e.phone.say(event{Event: "ignored", Session: e.session, Error: err.Error(), Check: name})
		}
		return true
	})
	return nil
}
