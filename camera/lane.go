package camera

import (
	"sync"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
)

// lane is the ring of one kind of frame (video or audio) in a Hub.
//
// Frames carry rising sequence numbers; a subscription is a sequence number.
// That makes every queue the same shared ring: a slow consumer costs no
// memory, and the bound of the ring is the bound of every queue.
type lane struct {
	maxBytes int
	slack    int
	video    bool
	left     func() // called without the lock after a subscription was closed by its consumer; constant

	mu      sync.Mutex
	frames  []*rtppack.Frame // frames[i] has sequence number first+i
	first   uint64
	key     uint64 // sequence number of the newest key frame
	hasKey  bool   // key is inside frames
	bytes   int
	needKey bool // drop until a key frame comes (start, reconnect, format change)
	subs    map[*Subscription]struct{}
	closed  bool

	published uint64
	dropped   uint64 // arrived before a key frame
}

func newLane(video bool, maxBytes, slack int) *lane {
	return &lane{maxBytes: maxBytes, slack: slack, video: video, needKey: video, subs: map[*Subscription]struct{}{}}
}

func (l *lane) next() uint64 { return l.first + uint64(len(l.frames)) }

func (l *lane) publish(c codecs.Codec, u *codecs.Unit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if l.needKey && !u.Key {
		l.dropped++
		return
	}
	l.needKey = false
	if u.Key && l.video {
		l.key, l.hasKey = l.next(), true
	}
	l.frames = append(l.frames, rtppack.NewFrame(c, u))
	l.bytes += u.Size()
	l.published++
	l.trimLocked()
	for s := range l.subs {
		s.signal()
	}
}

// trimLocked drops frames that neither an instant picture nor a consumer
// slightly behind needs, and whatever exceeds the byte bound.
func (l *lane) trimLocked() {
	keep := l.next() - min(uint64(l.slack), l.next())
	if l.hasKey && l.key < keep {
		keep = l.key
	}
	n := 0
	for n < len(l.frames)-1 && (l.first+uint64(n) < keep || l.bytes > l.maxBytes) {
		l.bytes -= l.frames[n].Unit.Size()
		l.frames[n] = nil
		n++
	}
	l.first += uint64(n)
	l.frames = l.frames[n:] // append moves it to a fresh array when this one is used up
	if l.hasKey && l.key < l.first {
		l.hasKey = false // a GOP longer than the bound: no instant picture until the next key frame
	}
}

func (l *lane) discontinuity() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.needKey = l.video
}

func (l *lane) subscribe() *Subscription {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.tapLocked()
	if l.closed {
		s.ended = true
	} else {
		l.subs[s] = struct{}{}
	}
	s.signal()
	return s
}

// tapLocked returns a subscription that is not woken.
func (l *lane) tapLocked() *Subscription {
	s := &Subscription{lane: l, wake: make(chan struct{}, 1), pos: l.next()}
	if l.hasKey {
		s.pos = l.key
	} else {
		s.awaitKey = l.video
	}
	return s
}

func (l *lane) tap() *Subscription {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.tapLocked()
	s.tap = true
	return s
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for s := range l.subs {
		s.ended = true
		s.signal()
	}
	clear(l.subs)
	l.frames = nil
	l.hasKey = false
}
