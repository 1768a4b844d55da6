package trust

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/atomicfile"
	"github.com/sightline-cam/sightline/internal/identity"
)

// Trust is the state of one publisher. Safe for concurrent use. It has no
// goroutines and needs no Close.
type Trust struct {
	// constant after Open
	options Options
	id      identity.PeerID
	changes chan struct{}
	store   *store

	guestWrites *rate.Limiter // safe for concurrent use

	// read at any time, written by whoever holds mu
	state   atomic.Pointer[state]
	latest  atomic.Int64            // latest signed time seen, in Unix seconds
	pairing atomic.Pointer[pairing] // nil: none since the start
	locks   locks

	mu      sync.Mutex // held by whoever makes a change, while it is written down
	written int64      // guarded by mu: latest, as it is on disk
	unsaved bool       // guarded by mu: owners.json is older than what is in force
	unkept  bool       // guarded by mu: claims.json is
}

// Open reads the state, or begins one that has no owner. Errors wrap ErrDamaged
// if the owners and revocations cannot be read (everything else that is damaged
// is put aside and said to the Logger, since losing it lets nobody in), and
// ErrMode if others could read or change the files.
func Open(o Options) (*Trust, error) {
	if o.Publisher == nil {
		return nil, errors.New("open the record of who may do what: no Publisher")
	}
	o = o.withDefaults()
	t := &Trust{
		options: o, id: o.Publisher.PeerID(), changes: make(chan struct{}, 1),
		store:       &store{dir: o.Dir, log: o.Logger, write: atomicfile.Write},
		guestWrites: rate.NewLimiter(rate.Every(guestWriteEvery), guestWritesBurst),
	}
	s := &state{publisher: t.id, generation: 1, holders: map[identity.PeerID]*holder{}}
	latest, err := t.store.load(s)
	if err != nil {
		return nil, fmt.Errorf("open the record of who may do what: %w", err)
	}
	t.written = latest
	t.latest.Store(latest)
	t.state.Store(s)
	for i, r := range s.invites {
		if r.grant != nil { // a power cut came before it was written where it belongs
			t.keepRedeemed(i)
		}
	}
	return t, nil
}

// Changes returns a channel that has an element after something changed that may
// end or widen access, other than by the passing of time. There is one channel,
// for one reader, who then asks Renew.
func (t *Trust) Changes() <-chan struct{} { return t.changes }

// put makes a state the one in force. Its caller holds mu.
func (t *Trust) put(s *state) {
	t.state.Store(s)
	select {
	case t.changes <- struct{}{}:
	default: // one is there already
	}
}

// writeOwners writes down who the owners are and what was revoked. Its caller
// holds mu.
func (t *Trust) writeOwners(s *state) error {
	err := t.store.saveOwners(s)
	t.unsaved = err != nil
	return err
}

// writeClaims writes down the invites. It is for what is in force already; its
// caller holds mu.
func (t *Trust) writeClaims(s *state) error {
	err := t.store.saveClaims(s)
	t.unkept = err != nil
	return err
}

// Retry writes down what is in force and could not be written when it was
// decided, a revocation on a full disk for one: a restart would bring back what
// it took away. It returns nil if there is nothing to write any more. Call it
// now and then; it may wait for the disk.
func (t *Trust) Retry() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	if t.unsaved {
		err = t.writeOwners(t.state.Load())
	}
	if t.unkept {
		err = errors.Join(err, t.writeClaims(t.state.Load()))
	}
	return t.notKept(err)
}

// Owned reports whether there is an owner.
func (t *Trust) Owned() bool { return t.state.Load().lists != nil }

// Home returns the id of the home that the publisher belongs to, "" as long as
// there is no access list.
func (t *Trust) Home() string { return t.state.Load().home() }

// Known reports, without any cryptography, whether a peer is likely to be let in:
// an owner, one who is listed, or the holder of a grant that was seen here and
// still counts.
func (t *Trust) Known(peer identity.PeerID) bool {
	s := t.state.Load()
	if s.isOwner(peer) {
		return true
	}
	if s.revoked(access.RevokedPeer, string(peer)) {
		return false
	}
	if _, listed := t.options.Listed(peer); listed {
		return true
	}
	now := t.Now()
	if h := s.holders[peer]; h != nil {
		for _, g := range h.grants {
			if s.judge(g, peer, now) == nil {
				return true
			}
		}
	}
	return false
}
