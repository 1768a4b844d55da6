package e2e

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/freeport"
)

// relay forwards TCP connections to a camera until it is cut: then the camera
// is gone, as when its plug is pulled and the switch says so.
type relay struct {
	// constant after construction
	target string
	addr   string

	wg sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener // nil while cut; guarded by mu
	conns    []net.Conn   // of the current listener; guarded by mu
}

// newRelay listens on loopback for connections to target.
func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	r := &relay{target: target, addr: freeport.Address(t)}
	r.restore(t)
	t.Cleanup(r.cut)
	return r
}

// restore makes the camera reachable.
func (r *relay) restore(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.listener = l
	r.mu.Unlock()
	r.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.wg.Go(func() { r.forward(l, conn) })
		}
	})
}

// cut ends all connections and refuses new ones. It waits until all is quiet.
func (r *relay) cut() {
	r.mu.Lock()
	if r.listener != nil {
		_ = r.listener.Close()
	}
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.listener, r.conns = nil, nil
	r.mu.Unlock()
	r.wg.Wait()
}

// forward copies both ways until one side ends. l is the listener that conn
// came from.
func (r *relay) forward(l net.Listener, conn net.Conn) {
	defer conn.Close()
	camera, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer camera.Close()
	r.mu.Lock()
	if r.listener != l {
		r.mu.Unlock()
		return
	}
	r.conns = append(r.conns, conn, camera)
	r.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(camera, conn); _ = camera.Close() })
	both.Go(func() { _, _ = io.Copy(conn, camera); _ = conn.Close() })
	both.Wait()
}
