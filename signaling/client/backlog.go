package client

import (
	"context"
	"fmt"
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// backlog is the bounded, ordered list of messages that the server has not yet
// taken. It outlives connections: what a lost one may not have carried is
// written again to the next.
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

// outgoing is one message of the backlog.
type outgoing struct {
	// constant after construction
	ref   int64
	frame []byte
	done  chan error // capacity 1

	written bool // to the current connection; guarded by backlog.mu
}

func newBacklog(size int) *backlog {
	return &backlog{slots: make(chan struct{}, size), wake: make(chan struct{}, 1)}
}

// send queues a message and waits until the server has taken or refused it.
func (b *backlog) send(ctx context.Context, to identity.PeerID, payload string) error {
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: the queue is full: %w", ErrNotSent, context.Cause(ctx))
	}
	defer func() { <-b.slots }()
	item, err := b.add(to, payload)
	if err != nil {
		return err
	}
	defer b.remove(item)
	select {
	case b.wake <- struct{}{}:
	default:
	}
	select {
	case err := <-item.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w: no answer from the signaling server: %w", ErrNotSent, context.Cause(ctx))
	}
}

func (b *backlog) add(to identity.PeerID, payload string) (*outgoing, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped != nil {
		return nil, b.stopped
	}
	b.lastRef++
	frame, err := signaling.EncodeFrame(&signaling.Send{To: to, Ref: b.lastRef, Ack: true, Payload: payload})
	if err != nil {
		return nil, err
	}
	item := &outgoing{ref: b.lastRef, frame: frame, done: make(chan error, 1)}
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

// next returns the frame to write next, or nil.
func (b *backlog) next() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range b.items {
		if !it.written {
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

// finish ends the wait for ref with err. It reports whether anyone waited.
func (b *backlog) finish(ref int64, err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range b.items {
		if it.ref == ref {
			select {
			case it.done <- err:
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
		case it.done <- err:
		default:
		}
	}
}
