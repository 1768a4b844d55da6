package server

import (
	"sync/atomic"

	"github.com/sightline-cam/sightline/internal/identity"
)

// parcel is one encoded frame on its way to a connection.
type parcel struct {
	data []byte
	// from and ref are set for a message of another peer, so that it can be
	// held, and answered if nobody fetches it.
	from identity.PeerID
	ref  int64
}

// outbox is the bounded queue of one connection. It never blocks other
// connections: what does not fit is refused, and the connection closed by the
// caller. Only the connection's own reader may wait for room.
type outbox struct {
	// constant after construction
	queue    chan parcel
	maxBytes int64
	room     chan struct{} // capacity 1: something was taken

	bytes atomic.Int64 // in the queue
}

// newOutbox has room for frames, and besides for what is moved into it at
// registration.
func newOutbox(o *Options) *outbox {
	return &outbox{
		queue:    make(chan parcel, o.OutQueue+o.HoldMessages+1),
		maxBytes: int64(o.OutBytes + o.HoldBytes),
		room:     make(chan struct{}, 1),
	}
}

// push queues p, or reports that the queue is full.
func (b *outbox) push(p parcel) bool {
	size := int64(len(p.data))
	if b.bytes.Add(size) > b.maxBytes {
		b.bytes.Add(-size)
		return false
	}
	select {
	case b.queue <- p:
		return true
	default:
		b.bytes.Add(-size)
		return false
	}
}

// taken must be called for every parcel received from the queue.
func (b *outbox) taken(p parcel) {
	b.bytes.Add(-int64(len(p.data)))
	select {
	case b.room <- struct{}{}:
	default:
	}
}

// wait queues p as soon as there is room, unless done comes first. One caller at
// a time.
func (b *outbox) wait(p parcel, done <-chan struct{}) {
	for !b.push(p) {
		select {
		case <-b.room:
		case <-done:
			return
		}
	}
}

// messages empties the queue and returns other peers' messages in order.
func (b *outbox) messages() []parcel {
	var out []parcel
	for {
		select {
		case p := <-b.queue:
			b.taken(p)
			if p.from != "" {
				out = append(out, p)
			}
		default:
			return out
		}
	}
}
