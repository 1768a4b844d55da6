package server

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// router knows who is registered and passes messages on. It never blocks: queues
// are bounded, and a connection whose queue is full is told to end.
type router struct {
	// constant after construction
	opts    *Options
	metrics *metrics

	mu sync.Mutex
	// guarded by mu
	peers     map[identity.PeerID]*peer // registered, or lost for less than HoldFor
	lost      *list.List                // of *peer, the first lost first
	heldBytes int
}

// peer is a registered peer, or one whose connection was lost and who is
// expected back. Guarded by router.mu.
type peer struct {
	id      identity.PeerID
	conn    *conn // nil while lost
	resume  signaling.Token
	keys    string        // key statement, handed out and never looked into
	limiter *rate.Limiter // safe by itself; kept over reconnects

	// while lost
	held      []parcel
	heldBytes int
	until     time.Time
	waiting   *list.Element
}

func newRouter(o *Options, m *metrics) *router {
	return &router{opts: o, metrics: m, peers: make(map[identity.PeerID]*peer), lost: list.New()}
}

// register puts c in the place of whoever held the key's registration. The
// "registered" frame, then what waited for the peer, is in c's queue on return.
func (r *router) register(c *conn, id identity.PeerID, resume signaling.Token, keys string) (*rate.Limiter, error) {
	answer := &signaling.Registered{
		ID: id, Resume: signaling.NewToken(signaling.ResumeSize), STUN: r.opts.ICE.STUN(c.name()), Relay: r.opts.ICE.MayRelay(id),
	}
	r.mu.Lock()
	p, known := r.peers[id]
	if !known {
		p = &peer{id: id, limiter: rate.NewLimiter(r.opts.PeerRate, r.opts.PeerBurst)}
		r.peers[id] = p
	}
	answer.Resumed = known && resume != "" && resume == p.resume
	data, err := signaling.EncodeFrame(answer)
	if err != nil {
		r.mu.Unlock()
		return nil, err
	}
	old := p.conn
	waiting := p.held
	if old != nil {
		waiting = old.out.messages()
	} else {
		r.foundLocked(p)
		r.metrics.registered.Inc() // before the client can know
	}
	if answer.Resumed {
		r.metrics.resumed.Inc() // likewise
	}
	p.conn, p.resume, p.keys = c, answer.Resume, keys
	fits := c.out.push(parcel{data: data})
	for _, m := range waiting {
		fits = fits && c.out.push(m)
	}
	r.mu.Unlock()

	if old != nil {
		old.end(endDisplaced())
	}
	if !fits {
		c.end(endSlow())
	}
	return p.limiter, nil
}

// foundLocked ends a peer's time of being lost.
func (r *router) foundLocked(p *peer) {
	r.heldBytes -= p.heldBytes
	p.held, p.heldBytes = nil, 0
	if p.waiting != nil {
		r.lost.Remove(p.waiting)
		p.waiting = nil
	}
}

// unregister notes that c is gone. With hold, what waited in its queue is held,
// and so is what comes in the next time. Call it when c's writer has ended.
func (r *router) unregister(now time.Time, c *conn, id identity.PeerID, hold bool) {
	r.mu.Lock()
	p := r.peers[id]
	if p == nil || p.conn != c {
		r.mu.Unlock()
		return
	}
	p.conn = nil
	if hold {
		p.until = now.Add(r.opts.HoldFor)
		p.waiting = r.lost.PushBack(p)
	} else {
		delete(r.peers, id)
	}
	var dropped []parcel
	for _, m := range c.out.messages() {
		if !hold || !r.holdLocked(p, m) {
			dropped = append(dropped, m)
		}
	}
	replies := r.unreachableLocked(dropped)
	r.mu.Unlock()
	r.metrics.registered.Dec()
	r.finish(replies)
}

func (r *router) holdLocked(p *peer, m parcel) bool {
	size := len(m.data)
	if len(p.held) >= r.opts.HoldMessages || p.heldBytes+size > r.opts.HoldBytes || r.heldBytes+size > r.opts.HoldTotalBytes {
		return false
	}
	p.held = append(p.held, m)
	p.heldBytes += size
	r.heldBytes += size
	return true
}

// keys returns the key statement of a peer that is registered or expected back.
// Unknown and offline are the same here too: neither has an entry.
func (r *router) keys(of identity.PeerID) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.peers[of]
	if p == nil {
		return "", false
	}
	return p.keys, true
}

// route passes a message on and returns "" or the error for its sender. Nobody
// can tell an unknown receiver from one that is offline: there is no entry for
// either, and one look for both.
func (r *router) route(to identity.PeerID, m parcel) signaling.ErrorCode {
	r.mu.Lock()
	p := r.peers[to]
	if p == nil {
		r.mu.Unlock()
		return signaling.CodeUnreachable
	}
	if p.conn == nil {
		ok := r.holdLocked(p, m)
		r.mu.Unlock()
		if !ok {
			return signaling.CodeServerBusy
		}
		r.metrics.held.Inc()
		return ""
	}
	c := p.conn
	ok := c.out.push(m)
	r.mu.Unlock()
	if !ok {
		c.end(endSlow())
		return signaling.CodeServerBusy
	}
	r.metrics.delivered.Inc()
	return ""
}

// expire forgets peers that have not come back, and tells the senders of what
// was held for them.
func (r *router) expire(now time.Time) {
	r.mu.Lock()
	var dropped []parcel
	for e := r.lost.Front(); e != nil; e = r.lost.Front() {
		p, ok := e.Value.(*peer)
		if !ok || p.until.After(now) {
			break
		}
		dropped = append(dropped, p.held...)
		r.foundLocked(p)
		delete(r.peers, p.id)
	}
	replies := r.unreachableLocked(dropped)
	r.mu.Unlock()
	r.finish(replies)
}

// reply is an error for a sender.
type reply struct {
	conn *conn
	ref  int64
}

func (r *router) unreachableLocked(dropped []parcel) []reply {
	replies := make([]reply, 0, len(dropped))
	for _, m := range dropped {
		c := (*conn)(nil)
		if p := r.peers[m.from]; p != nil {
			c = p.conn
		}
		replies = append(replies, reply{conn: c, ref: m.ref})
	}
	return replies
}

func (r *router) finish(replies []reply) {
	for _, a := range replies {
		r.metrics.expired.Inc()
		if a.conn != nil {
			a.conn.fail(signaling.CodeUnreachable, a.ref)
		}
	}
}
