package client

import (
	"context"
	"fmt"
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// backlog is the bounded, ordered list of requests that the server has not yet
// answered: messages to pass on, lookups, and requests for a relay. It outlives
// connections: what a lost one may not have carried is written again to the next.
type backlog struct {
	// constant after construction
	slots chan struct{} // one per message in the list
	wake  chan struct{} // capacity 1: there may be something to write

	mu sync.Mutex
	// guarded by mu
	items   []*outgoing
	lastRef int64
	stopped error // set for ever when Run ends
}

// outgoing is one request of the backlog.
type outgoing struct {
	// constant after construction
	ref   int64
	wants signaling.FrameType // the answer: sent, keys or relay
	frame []byte
	done  chan reply // capacity 1

	written bool // to the current connection; guarded by backlog.mu
}

// reply is how the server answered a request.
type reply struct {
	keys  string              // of a lookup
	relay signaling.ICEServer // of a request for a relay
	err   error
}

func newBacklog(size int) *backlog {
	return &backlog{slots: make(chan struct{}, size), wake: make(chan struct{}, 1)}
}

// send queues a message and waits until the server has taken or refused it.
func (b *backlog) send(ctx context.Context, to identity.PeerID, payload string) error {
	_, err := b.request(ctx, signaling.FrameSent, func(ref int64) signaling.Frame {
		return &signaling.Send{To: to, Ref: ref, Ack: true, Payload: payload}
	})
	return err
}

// lookup queues a lookup and waits for the key statement.
func (b *backlog) lookup(ctx context.Context, to identity.PeerID) (string, error) {
	r, err := b.request(ctx, signaling.FrameKeys, func(ref int64) signaling.Frame { return &signaling.Lookup{To: to, Ref: ref} })
	return r.keys, err
}

// relay queues a request for a relay and waits for the answer.
func (b *backlog) relay(ctx context.Context) (signaling.ICEServer, error) {
	r, err := b.request(ctx, signaling.FrameRelay, func(ref int64) signaling.Frame { return &signaling.RelayRequest{Ref: ref} })
	return r.relay, err
}

func (b *backlog) request(ctx context.Context, wants signaling.FrameType, frame func(ref int64) signaling.Frame) (reply, error) {
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return reply{}, fmt.Errorf("%w: the queue is full: %w", ErrNotSent, context.Cause(ctx))
	}
	defer func() { <-b.slots }()
	item, err := b.add(wants, frame)
	if err != nil {
		return reply{}, err
	}
	defer b.remove(item)
	select {
	case b.wake <- struct{}{}:
	default:
	}
	select {
	case r := <-item.done:
		return r, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-item.done: // in the last moment, or while this process stood still
		return r, r.err
	default:
		return reply{}, fmt.Errorf("%w: no answer from the signaling server: %w", ErrNotSent, context.Cause(ctx))
	}
}

func (b *backlog) add(wants signaling.FrameType, frame func(ref int64) signaling.Frame) (*outgoing, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped != nil {
		return nil, b.stopped
	}
	b.lastRef++
	data, err := signaling.EncodeFrame(frame(b.lastRef))
	if err != nil {
		return nil, err
	}
	item := &outgoing{ref: b.lastRef, wants: wants, frame: data, done: make(chan reply, 1)}
	b.items = append(b.items, item)
	return item, nil
}

func (b *backlog) remove(item *outgoing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, it := range b.items {
		if it == item {
			b.items = append(b.items[:i:i], b.items[i+1:]...)
			return
		}
	}
}

func (b *backlog) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.items)
}

// next returns the frame to write next, or nil. Before the registration is
// confirmed only lookups are written.
func (b *backlog) next(registered bool) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range b.items {
		if !it.written && (registered || it.wants == signaling.FrameKeys) {
			it.written = true
			return it.frame
		}
	}
	return nil
}

// rewind forgets what the last connection was given.
func (b *backlog) rewind() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range b.items {
		it.written = false
	}
}

// answer ends the wait for ref by an answer of a kind. One that was not asked for
// is an error: it would pass for success, with nothing in it.
func (b *backlog) answer(ref int64, kind signaling.FrameType, r reply) error {
	b.mu.Lock()
	for _, it := range b.items {
		if it.ref == ref && it.wants != kind {
			b.mu.Unlock()
			return fmt.Errorf("%w: %q where %q was asked for", signaling.ErrMessage, kind, it.wants)
		}
	}
	b.mu.Unlock()
	b.finish(ref, r)
	return nil
}

// finish ends the wait for ref. It reports whether anyone waited.
func (b *backlog) finish(ref int64, r reply) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range b.items {
		if it.ref == ref {
			select {
			case it.done <- r:
				return true
			default:
				return false // decided already
			}
		}
	}
	return false
}

// stop ends all waiting, now and later, with err.
func (b *backlog) stop(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = err
	for _, it := range b.items {
		select {
		case it.done <- reply{err: err}:
		default:
		}
	}
}
