package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// maxPending is how many names are resolved at a time, maxKnown how many
	// answers are kept, and keptFor how long.
	maxPending = 64
	maxKnown   = 256
	keptFor    = time.Minute
	// firstPause is the time to the second question; it doubles from one to the
	// next, up to lastPause (RFC 6762 §5.2).
	firstPause = time.Second
	lastPause  = time.Minute
)

// Resolve asks for the address of name, "<UUID>.local" as browsers make them for
// their ICE candidates (draft-ietf-mmusic-mdns-ice-candidates), until ctx ends.
// Several calls for one name share the questions, and an answer is kept for a
// minute.
//
// Errors: ErrName, ErrBusy, of opening the sockets, net.ErrClosed; ErrNotFound
// with the cause when ctx ended.
func (l *LAN) Resolve(ctx context.Context, name string) (netip.Addr, error) {
	name, ok := candidateName(name)
	if !ok {
		return netip.Addr{}, ErrName
	}
	question, err := ask(name, dnsmessage.TypeA, dnsmessage.TypeAAAA)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("resolve: %w", err)
	}
	if err := l.begin(ctx); err != nil {
		return netip.Addr{}, fmt.Errorf("resolve: %w", err)
	}
	defer l.end()
	l.mu.Lock()
	if addr, ok := l.names.get(time.Now(), name); ok {
		l.mu.Unlock()
		return addr, nil
	}
	p, err := l.names.join(name)
	l.mu.Unlock()
	if err != nil {
		return netip.Addr{}, err
	}
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.names.part(name, p)
	}()
	if l.repeat(ctx, question, p.done, &p.asked) {
		return p.addr, nil
	}
	if ctx.Err() != nil {
		return netip.Addr{}, errors.Join(ErrNotFound, context.Cause(ctx))
	}
	return netip.Addr{}, fmt.Errorf("resolve: %w", net.ErrClosed)
}

// repeat asks until done is closed, and reports whether it was. asked, guarded by
// the mutex, is when somebody asked the same the last time.
func (l *LAN) repeat(ctx context.Context, question []byte, done <-chan struct{}, asked *time.Time) bool {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for pause := firstPause; ; {
		select {
		case <-done:
			return true
		case <-ctx.Done():
			return false
		case <-l.closed:
			return false
		case <-timer.C:
		}
		now := time.Now()
		l.mu.Lock()
		var out []packet
		wait := firstPause - now.Sub(*asked)
		if wait <= 0 {
			l.rescan(now, freshScan)
			*asked, out, wait = now, l.toAll(question), pause
			pause = min(2*pause, lastPause)
		}
		l.mu.Unlock()
		l.send(out...)
		timer.Reset(wait)
	}
}

// names are those being resolved and those that were. The LAN's mutex guards it.
type names struct {
	pending map[string]*pendingName
	known   map[string]knownName
}

type pendingName struct {
	calls int
	asked time.Time
	done  chan struct{} // closed with addr set
	addr  netip.Addr
}

type knownName struct {
	addr    netip.Addr
	expires time.Time
}

func (n *names) get(now time.Time, name string) (netip.Addr, bool) {
	k, ok := n.known[name]
	return k.addr, ok && now.Before(k.expires)
}

func (n *names) join(name string) (*pendingName, error) {
	p := n.pending[name]
	if p == nil {
		if len(n.pending) >= maxPending {
			return nil, ErrBusy
		}
		p = &pendingName{done: make(chan struct{})}
		if n.pending == nil {
			n.pending = make(map[string]*pendingName)
		}
		n.pending[name] = p
	}
	p.calls++
	return p, nil
}

func (n *names) part(name string, p *pendingName) {
	if p.calls--; p.calls == 0 && n.pending[name] == p {
		delete(n.pending, name)
	}
}

// take takes what somebody says. A name that is said to have several addresses has
// the first that can be dialled. A browser announces its names as it makes them,
// and then, as Chromium does, leaves questions for them unanswered for a second: so
// what nobody has asked for yet is kept too.
func (n *names) take(now time.Time, k *link, records []record) {
	for _, r := range records {
		if r.kind != dnsmessage.TypeA && r.kind != dnsmessage.TypeAAAA {
			continue
		}
		if _, ok := candidateName(r.name); !ok {
			continue
		}
		addr, ok := k.usable(r.addr)
		if !ok {
			continue
		}
		if r.ttl == 0 {
			delete(n.known, r.name)
			continue
		}
		if p := n.pending[r.name]; p != nil {
			p.addr = addr
			close(p.done)
			delete(n.pending, r.name)
		}
		if _, ok := n.get(now, r.name); !ok {
			n.keep(r.name, knownName{addr, now.Add(min(keptFor, time.Duration(r.ttl)*time.Second))})
		}
	}
}

// keep remembers an answer, in place of any other if there are too many: there are
// only while somebody floods the network, who must not have us search for long.
func (n *names) keep(name string, k knownName) {
	if n.known == nil {
		n.known = make(map[string]knownName)
	}
	if _, there := n.known[name]; !there && len(n.known) >= maxKnown {
		for any := range n.known {
			delete(n.known, any)
			break
		}
	}
	n.known[name] = k
}
