package discovery

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

var (
	// ErrNotFound says that nobody on this network answered.
	ErrNotFound = errors.New("nobody on this network answers")
	// ErrName says that a name is none that Resolve looks for.
	ErrName = errors.New("not a name that a browser makes for a candidate: a UUID and .local")
	// ErrBusy says that too much is being looked for.
	ErrBusy = errors.New("too much is being looked for on this network")
	// ErrAdvertised says that a LAN tells of one service already.
	ErrAdvertised = errors.New("a service is advertised already")
)

const (
	// freshScan is how long a list of the interfaces is good enough to ask by.
	freshScan = time.Second
	// scanInterval is how often the list is made while something goes on.
	scanInterval = 2 * time.Second
	// unicastRate and unicastBurst bound the answers to single askers, a second;
	// those to all are bounded by answerInterval.
	unicastRate  = 20
	unicastBurst = 40
)

// Options configure a LAN. The zero value is good.
type Options struct {
	// Interfaces names the only interfaces to use, as patterns of path.Match.
	// Default: all that are up and can multicast. Loopback and point-to-point
	// ones (VPNs) never are used.
	Interfaces []string
	// Logger takes what goes wrong. Default: nothing.
	Logger *slog.Logger
}

// LAN is the networks that this machine is attached to. A process has one: its
// socket is opened when something first needs it. Safe for concurrent use.
type LAN struct {
	// Constant after construction.
	log     *slog.Logger
	listen  func(context.Context) (four, six wire, err error)
	scan    func() ([]attachment, error)
	unicast *rate.Limiter
	closed  chan struct{}
	wake    chan struct{} // tells the keeper of something to do; holds one
	running sync.WaitGroup

	mu        sync.Mutex
	isClosed  bool
	wires     [2]wire // IPv4, IPv6; nil where there is none, and until opened
	opened    bool
	links     map[linkKey]*link
	scanned   time.Time
	service   *Service // what is advertised
	names     names
	searches  map[*search]struct{}
	interests int // calls of Resolve, Advertise and Browse that run
}

// New makes a LAN. It does no I/O.
func New(o Options) *LAN {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &LAN{
		log: o.Logger, listen: listen, scan: func() ([]attachment, error) { return attachments(o.Interfaces) },
		unicast: rate.NewLimiter(unicastRate, unicastBurst),
		closed:  make(chan struct{}), wake: make(chan struct{}, 1),
		links: make(map[linkKey]*link), searches: make(map[*search]struct{}),
	}
}

// begin opens the sockets if need be, and counts a call that needs them.
func (l *LAN) begin(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosed {
		return net.ErrClosed
	}
	if !l.opened {
		four, six, err := l.listen(ctx)
		if err != nil {
			return err
		}
		l.opened, l.wires = true, [2]wire{four, six}
		for i, w := range l.wires {
			if w != nil {
				l.running.Go(func() { l.receive(w, i == 1) })
			}
		}
		l.running.Go(l.keep)
	}
	l.interests++
	l.rescan(time.Now(), freshScan)
	l.poke() // the keeper may have had nothing to do
	return nil
}

func (l *LAN) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.interests--
}

// poke has the keeper look at what there is to do.
func (l *LAN) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// receive reads a socket until it is closed.
func (l *LAN) receive(w wire, six bool) {
	p := make([]byte, maxPacket)
	for {
		n, index, from, err := w.read(p)
		switch {
		case err == nil:
			l.handle(p[:n], linkKey{index, six}, from)
			continue
		case errors.Is(err, net.ErrClosed):
			return
		}
		l.log.Debug("multicast DNS: receive", "error", err)
		pause := time.NewTimer(100 * time.Millisecond) // an error that stays must not keep a core busy
		select {
		case <-pause.C:
		case <-l.closed:
			pause.Stop()
			return
		}
	}
}

// handle takes a packet.
func (l *LAN) handle(p []byte, at linkKey, from netip.AddrPort) {
	response := isResponse(p)
	l.mu.Lock()
	k := l.linkOf(at, from.Addr())
	// Whoever is not on the link is told nothing and believed nothing, or the whole
	// internet could ask (RFC 6762 §11).
	if k == nil || !response && l.service == nil || response && from.Port() != mdnsPort {
		l.mu.Unlock()
		return
	}
	var out packet
	if m, ok := parse(p); ok && response {
		l.take(k, m)
	} else if ok {
		out = l.asked(k, m, from)
	}
	l.mu.Unlock()
	l.send(out)
}

// linkOf returns the link by which a packet came; nil if its sender is not on it.
// It needs the mutex.
func (l *LAN) linkOf(at linkKey, from netip.Addr) *link {
	if k := l.links[at]; k != nil && k.onLink(from) {
		return k
	}
	if at.index != 0 {
		return nil
	}
	for key, k := range l.links { // the system does not tell
		if key.six == at.six && k.onLink(from) {
			return k
		}
	}
	return nil
}

// take takes what somebody says. It needs the mutex.
func (l *LAN) take(k *link, m message) {
	l.names.take(time.Now(), k, m.records)
	for s := range l.searches {
		s.take(k, m.records)
	}
}

// packet is one to be sent; without data, none.
type packet struct {
	data []byte
	wire wire
	via  net.Interface
	to   netip.AddrPort // the zero value is the group
}

func (l *LAN) send(out ...packet) {
	for _, p := range out {
		if p.data == nil {
			continue
		}
		if err := p.wire.send(p.data, &p.via, p.to); err != nil && !errors.Is(err, net.ErrClosed) {
			l.log.Debug("multicast DNS: send", "interface", p.via.Name, "error", err)
		}
	}
}

// toAll returns a packet for each link. It needs the mutex.
func (l *LAN) toAll(data []byte) []packet {
	out := make([]packet, 0, len(l.links))
	for _, k := range l.links {
		out = append(out, packet{data: data, wire: k.wire, via: k.Interface})
	}
	return out
}

// rescan makes the list of the interfaces anew if it is older than age. It needs
// the mutex.
func (l *LAN) rescan(now time.Time, age time.Duration) {
	if !l.scanned.IsZero() && now.Sub(l.scanned) < age {
		return
	}
	l.scanned = now
	found, err := l.scan()
	if err != nil {
		l.log.Warn("multicast DNS: list the network interfaces", "error", err)
		return
	}
	there := make(map[linkKey]bool)
	for _, a := range found {
		for i, w := range l.wires {
			key := linkKey{a.Index, i == 1}
			if w != nil && a.has(key.six) {
				there[key] = l.attach(now, key, a, w)
			}
		}
	}
	for key, k := range l.links {
		if !there[key] {
			_ = k.wire.leave(&k.Interface) // or the socket would fill up with memberships
			delete(l.links, key)
		}
	}
}

// attach makes or renews a link, and reports whether there is one. It needs the
// mutex.
func (l *LAN) attach(now time.Time, key linkKey, a attachment, w wire) bool {
	k := l.links[key]
	if k != nil && !k.same(a) {
		_ = w.leave(&k.Interface)
		delete(l.links, key)
		k = nil
	}
	if k == nil {
		if err := w.join(&a.Interface); err != nil {
			l.log.Debug("multicast DNS: join", "interface", a.Name, "error", err)
			return false
		}
		k = &link{attachment: a, six: key.six, wire: w}
		l.links[key] = k
		k.announceTwice(now)
		return true
	}
	if !slices.Equal(k.prefixes, a.prefixes) {
		k.announceTwice(now)
	}
	k.attachment = a
	return true
}

// keep does what is to be done later, until the LAN is closed.
func (l *LAN) keep() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-l.wake:
		case <-l.closed:
			return
		}
		now := time.Now()
		l.mu.Lock()
		var out []packet
		next := now.Add(time.Hour) // begin pokes
		if l.interests > 0 {
			l.rescan(now, scanInterval)
			out, next = l.due(now)
			next = earlier(next, l.scanned.Add(scanInterval))
		}
		l.mu.Unlock()
		l.send(out...)
		timer.Reset(time.Until(next))
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Close closes the sockets and waits for their readers. What still runs returns
// net.ErrClosed; an Advertise that is to take its service back must have ended
// before. Idempotent.
func (l *LAN) Close() error {
	l.mu.Lock()
	var err error
	if !l.isClosed {
		l.isClosed = true
		close(l.closed)
		for _, w := range l.wires {
			if w != nil {
				err = errors.Join(err, w.Close())
			}
		}
	}
	l.mu.Unlock()
	l.running.Wait()
	return err
}
