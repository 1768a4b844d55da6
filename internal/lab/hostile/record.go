package hostile

import (
	"context"
	"fmt"
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// maxRecords bounds what is kept; a test that makes more sees the first ones.
const maxRecords = 20_000

// Record is one frame or request as the server saw it.
type Record struct {
	// Peer is whose connection it was on; "" before the registration.
	Peer identity.PeerID
	// ToPeer is false for what the peer sent, true for what it was sent.
	ToPeer bool
	// Frame is nil for an HTTP request and for a frame that cannot be read.
	Frame signaling.Frame
	// Raw is the text as it was on the wire: the frame, or the request's first
	// line and headers.
	Raw string
}

// recorder keeps what the server sees.
type recorder struct {
	mu      sync.Mutex
	records []Record      // guarded by mu
	more    chan struct{} // closed and replaced with every record; guarded by mu
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{})} }

func (r *recorder) add(rec Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.records) >= maxRecords {
		return
	}
	r.records = append(r.records, rec)
	close(r.more)
	r.more = make(chan struct{})
}

// since returns the records from the n-th on, and a channel that is closed with
// the next one.
func (r *recorder) since(n int) ([]Record, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.records[n:len(r.records):len(r.records)], r.more
}

// await returns the first record that matches, waiting for it.
func (r *recorder) await(ctx context.Context, match func(Record) bool) (Record, error) {
	for seen := 0; ; {
		records, more := r.since(seen)
		for _, rec := range records {
			if match(rec) {
				return rec, nil
			}
		}
		seen += len(records)
		select {
		case <-more:
		case <-ctx.Done():
			return Record{}, fmt.Errorf("hostile: none of %d frames and requests is it: %w", seen, context.Cause(ctx))
		}
	}
}
