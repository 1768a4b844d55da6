package attacks

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// phone is a viewer that may be attacked: the program attackpeer of the world's
// build. Its methods belong to one goroutine.
type phone struct {
	*program
	w    *world
	id   identity.PeerID
	seen int // events looked at
}

// phoneEvent is what a phone says: see attackpeer.
type phoneEvent struct {
	Event, Do, Session, Error string
	Peer                      identity.PeerID
	Check                     check.Name
}

// phone starts a viewer.
func (w *world) phone() *phone {
	w.Helper()
	p := &phone{program: w.start("attackpeer"), w: w}
	e, err := p.next(w.ctx, func(e phoneEvent) bool { return e.Event == "ready" })
	if err != nil {
		w.Fatal(err)
	}
	p.id = e.Peer
	return p
}

// next waits for the next event that is wanted.
func (p *phone) next(ctx context.Context, wanted func(phoneEvent) bool) (phoneEvent, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		text, more := p.output()
		lines := strings.Split(text, "\n")
		for p.seen < len(lines) && lines[p.seen] != "" {
			line := lines[p.seen]
			p.seen++
			var e phoneEvent
			if json.Unmarshal([]byte(line), &e) == nil && wanted(e) {
				return e, nil
			}
		}
		select {
		case <-more:
		case <-p.done:
			return phoneEvent{}, fmt.Errorf("the viewer has ended:\n%s", p.tail(5))
		case <-ctx.Done():
			return phoneEvent{}, fmt.Errorf("the viewer says nothing:\n%s", p.tail(5))
		}
	}
}

// tell gives the phone a command.
func (p *phone) tell(do, session string, more map[string]any) error {
	c := map[string]any{"do": do, "session": session}
	for k, v := range more {
		c[k] = v
	}
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = p.in.Write(append(line, '\n'))
	return err
}

// ask gives a command and waits for what becomes of it, or until the phone has
// refused something: then the error is a *refusal, if it was the check n.
func (p *phone) ask(n check.Name, do, session string, more map[string]any) error {
	if err := p.tell(do, session, more); err != nil {
		return err
	}
	e, err := p.next(p.w.ctx, func(e phoneEvent) bool {
		return e.Session == session && (e.Event == "ignored" || e.Do == do)
	})
	switch {
	case err != nil:
		return err
	case e.Event == "done":
		return nil
	case e.Check == n:
		return &refusal{says: e.Error}
	}
	return fmt.Errorf("the viewer: %s (check %q)", e.Error, e.Check)
}

// dialTimeout is how long a phone tries to connect.
const dialTimeout = patience / 2

// dial lets the phone dial, and ask for the cameras.
func (p *phone) dial(n check.Name, session, signal string, peer identity.PeerID) error {
	err := p.ask(n, "dial", session, map[string]any{
		"signal": "ws" + strings.TrimPrefix(signal, "http"), "peer": peer, "noPicture": true, "timeoutMs": dialTimeout.Milliseconds(),
	})
	if err != nil {
		return err
	}
	return p.ask(n, "cameras", session, nil)
}
