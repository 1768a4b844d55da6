package recorder

import "sync"

const (
	// spareBuffers are kept for the next writes, of at most spareBytes each.
	spareBuffers = 4
	spareBytes   = 8 << 20
)

// buffers lends memory in which fragments are put together. Safe for concurrent use.
type buffers struct {
	mu    sync.Mutex // guards what follows
	spare [][]byte
}

func (b *buffers) get() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.spare)
	if n == 0 {
		return nil
	}
	buf := b.spare[n-1]
	b.spare = b.spare[:n-1]
	return buf[:0]
}

func (b *buffers) put(buf []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.spare) < spareBuffers && cap(buf) <= spareBytes {
		b.spare = append(b.spare, buf)
	}
}
