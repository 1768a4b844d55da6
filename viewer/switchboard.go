package viewer

import (
	"context"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

// Switchboard lets the sessions of one process share a connection to each signaling
// server. A key has one connection at a server: of sessions that each have their own,
// with one key, every new one throws the others' out, and they it. The zero value is
// ready to use. Safe for concurrent use.
type Switchboard struct {
	mu    sync.Mutex
	lines map[lineName]*line
}

// lineName says who is connected to where.
type lineName struct {
	url  string
	peer PeerID
}

// line is a connection that sessions share. It ends with the last of them.
type line struct {
	// Constant after construction.
	name   lineName
	id     *Identity
	client *client.Client
	cancel context.CancelFunc
	done   chan struct{} // closed when the client has ended

	// Guarded by Switchboard.mu.
	users map[*handshake]struct{}
	state client.State
	err   error
}

// lineBackoff is the longest pause between two attempts to reach a server: somebody
// may be waiting to dial.
const lineBackoff = 10 * time.Second

// join gives a handshake its part of a connection. leave gives it back; it returns
// when nothing more comes.
func (b *Switchboard) join(ctx context.Context, h *handshake) (c *client.Client, leave func(), err error) {
	name := lineName{h.o.SignalURL, h.o.Identity.PeerID()}
	b.mu.Lock()
	l := b.lines[name]
	if l == nil {
		if l, err = b.openLocked(ctx, name, h.o); err != nil {
			b.mu.Unlock()
			return nil, nil, err
		}
	}
	l.users[h] = struct{}{}
	state, reason := l.state, l.err
	b.mu.Unlock()
	h.state(state, reason)
	return l.client, func() { b.leave(l, h) }, nil
}

// openLocked opens a connection.
func (b *Switchboard) openLocked(ctx context.Context, name lineName, o Options) (*line, error) {
	l := &line{name: name, id: o.Identity, done: make(chan struct{}), users: make(map[*handshake]struct{})}
	c, err := client.New(client.Options{
		URL: o.SignalURL, Identity: o.Identity, Logger: o.Logger, HTTPClient: o.HTTPClient, MaxBackoff: lineBackoff,
		OnMessage: func(_ context.Context, _ identity.PeerID, payload string) { b.message(l, payload) },
		OnState:   func(s client.State, err error) { b.stateChanged(l, s, err) },
	})
	if err != nil {
		return nil, err
	}
	l.client = c
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if b.lines == nil {
		b.lines = make(map[lineName]*line)
	}
	b.lines[name] = l
	go func() {
		defer close(l.done)
		_ = c.Run(ctx) // only ever ctx's error
	}()
	return l, nil
}

func (b *Switchboard) leave(l *line, h *handshake) {
	b.mu.Lock()
	delete(l.users, h)
	last := len(l.users) == 0
	if last && b.lines[l.name] == l {
		delete(b.lines, l.name)
	}
	b.mu.Unlock()
	if last {
		l.cancel()
		<-l.done
	}
}

func (b *Switchboard) usersOf(l *line) []*handshake {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]*handshake, 0, len(l.users))
	for h := range l.users {
		out = append(out, h)
	}
	return out
}

// message hands what has come to the session that it is for.
func (b *Switchboard) message(l *line, payload string) {
	in, err := signaling.Open(l.id, payload)
	if err != nil {
		return // the sender proves nothing
	}
	for _, h := range b.usersOf(l) {
		if s := h.current(); s != nil && s.ID() == in.Head().Session {
			h.message(payload)
		}
	}
}

func (b *Switchboard) stateChanged(l *line, s client.State, err error) {
	b.mu.Lock()
	if l.state = s; err != nil || s == client.StateOnline {
		l.err = err // until there is an attempt that succeeds, the reason of the last holds
	}
	b.mu.Unlock()
	for _, h := range b.usersOf(l) {
		h.state(s, err)
	}
}
