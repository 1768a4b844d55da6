package mediasign

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
)

// outboxLimit is how many messages wait for a signature or for a frame to go with.
const outboxLimit = 64

// outgoing is a message on its way into the video.
type outgoing struct {
	draft  draft
	digest [hashSize]byte
	// data is the NAL unit; nil while it has no signature yet.
	data []byte
	// failed says that there will be none.
	failed bool
}

// outbox signs messages on a goroutine of its own, which ends when all are signed,
// and hands them out in order. A message that finds it full is lost.
type outbox struct {
	// Constant after construction.
	key    crypto.Signer
	result func(error) // called after each signature, without locks

	running sync.WaitGroup

	mu     sync.Mutex
	queue  []*outgoing
	busy   bool
	closed bool
}

// put takes in a message; false says that there is no room.
func (o *outbox) put(m *outgoing) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || len(o.queue) >= outboxLimit {
		return false
	}
	o.queue = append(o.queue, m)
	if m.draft.signed && !o.busy {
		o.busy = true
		o.running.Go(o.work)
	}
	return true
}

// take returns the messages that are complete, up to the first that is not.
func (o *outbox) take() []*outgoing {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []*outgoing
	for len(o.queue) > 0 && (o.queue[0].failed || o.queue[0].data != nil) {
		if !o.queue[0].failed {
			out = append(out, o.queue[0])
		}
		o.queue = o.queue[1:]
	}
	return out
}

// clear forgets all messages.
func (o *outbox) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = nil
}

// close forgets all messages and waits for the goroutine. Idempotent.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed, o.queue = true, nil
	o.mu.Unlock()
	o.running.Wait()
}

func (o *outbox) work() {
	for {
		m := o.next()
		if m == nil {
			return
		}
		signature, err := o.key.Sign(rand.Reader, m.digest[:], crypto.SHA256)
		if err == nil && (len(signature) == 0 || len(signature) > signatureRoom) {
			err = errors.New("the key's signature is none of ECDSA on P-256")
		}
		if err != nil {
			err = fmt.Errorf("sign the video: %w", err)
		}
		o.mu.Lock()
		if err != nil {
			m.failed = true
		} else {
			m.data = m.draft.finish(signature)
		}
		o.mu.Unlock()
		o.result(err)
	}
}

// next returns the first message without a signature; nil ends the goroutine.
func (o *outbox) next() *outgoing {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.queue {
		if m.data == nil && !m.failed {
			return m
		}
	}
	o.busy = false
	return nil
}
