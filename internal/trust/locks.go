package trust

import (
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

const (
	// maxWrongTries is how many wrong proofs of one peer lock its claims.
	maxWrongTries = 5
	// maxWrongTriesOfAll is how many wrong proofs lock the claims of all. A new
	// key costs nothing, so that counting for each alone would bound nothing; a
	// secret has 128 bits, so that this many are no danger. Were it as few as for
	// one, anybody could keep the owner from pairing.
	maxWrongTriesOfAll = 100
	firstLock          = time.Minute
	longestLock        = time.Hour
	// maxGuessers is how many peers are remembered for their wrong tries.
	maxGuessers = 256
)

// locks counts wrong proofs and says who must wait. Safe for concurrent use.
type locks struct {
	mu   sync.Mutex // guards what follows
	all  tries
	each map[identity.PeerID]*tries
}

// tries are the wrong proofs of one peer, or of all.
type tries struct {
	count int // since the last lock
	locks int
	last  time.Time
	until time.Time // locked before that
}

// quiet is when there was last reason to remember them.
func (t *tries) quiet() time.Time {
	if t.until.After(t.last) {
		return t.until
	}
	return t.last
}

// wrong counts one more, and returns for how long that locks; 0 if it does not.
func (t *tries) wrong(now time.Time, most int) time.Duration {
	if now.Sub(t.quiet()) > longestLock {
		*t = tries{} // whoever it was has left
	}
	t.count++
	t.last = now
	if t.count < most {
		return 0
	}
	length := longestLock
	if t.locks < 6 { // 2^6 minutes are more than the longest
		length = firstLock << t.locks
	}
	t.count = 0
	t.locks++
	t.until = now.Add(length)
	return length
}

// wrong counts a wrong proof, and returns for how long it locks all, or its peer
// alone.
func (l *locks) wrong(peer identity.PeerID, now time.Time) (all, alone time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.each[peer]
	if one == nil {
		l.makeRoom()
		one = &tries{}
		l.each[peer] = one
	}
	return l.all.wrong(now, maxWrongTriesOfAll), one.wrong(now, maxWrongTries)
}

// makeRoom forgets who has been quiet longest. Its caller holds mu.
func (l *locks) makeRoom() {
	if l.each == nil {
		l.each = map[identity.PeerID]*tries{}
	}
	if len(l.each) < maxGuessers {
		return
	}
	var gone identity.PeerID
	for peer, t := range l.each {
		if gone == "" || t.quiet().Before(l.each[gone].quiet()) {
			gone = peer
		}
	}
	delete(l.each, gone)
}

// left returns for how long a peer must wait, or everybody if peer is "".
func (l *locks) left(peer identity.PeerID, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.all.until.Sub(now)
	if one := l.each[peer]; one != nil {
		left = max(left, one.until.Sub(now))
	}
	return max(left, 0)
}

// clear forgets everything.
func (l *locks) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all, l.each = tries{}, nil
}
