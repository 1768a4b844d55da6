package discovery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"
)

const (
	// answerInterval is the least time between two answers to all on one link (RFC
	// 6762 §6).
	answerInterval = time.Second
	// answerDelay and answerJitter keep many that are asked by one question from
	// answering at once (§6).
	answerDelay  = 20 * time.Millisecond
	answerJitter = 100 * time.Millisecond
	// announcements is how many unasked answers there are (§8.3).
	announcements = 2
)

// Advertise tells this network of a service until ctx ends, then takes it back
// and returns nil. Interfaces and addresses that come later are told of too.
//
// Errors: of opening the sockets; ErrAdvertised, net.ErrClosed.
func (l *LAN) Advertise(ctx context.Context, s Service) error {
	if err := s.Peer.Validate(); err != nil {
		return fmt.Errorf("advertise: %w", err)
	}
	if err := l.begin(ctx); err != nil {
		return fmt.Errorf("advertise: %w", err)
	}
	defer l.end()
	l.mu.Lock()
	if l.service != nil {
		l.mu.Unlock()
		return fmt.Errorf("advertise: %w", ErrAdvertised)
	}
	l.service = &s
	now := time.Now()
	for _, k := range l.links {
		k.announceTwice(now)
	}
	l.mu.Unlock()
	l.poke()
	select {
	case <-ctx.Done():
		l.send(l.takeBack()...)
		return nil
	case <-l.closed:
		l.takeBack()
		return fmt.Errorf("advertise: %w", net.ErrClosed)
	}
}

// takeBack ends the advertisement and returns what says so (RFC 6762 §10.1).
func (l *LAN) takeBack() []packet {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := *l.service
	l.service = nil
	var out []packet
	for _, k := range l.links {
		k.wants, k.announce = 0, 0
		if data, err := s.answer(reply{wants: wantAll, addresses: k.addresses(), goodbye: true}); err == nil {
			out = append(out, packet{data: data, wire: k.wire, via: k.Interface})
		}
	}
	return out
}

// announceTwice makes the link tell what there is, unasked. It needs the mutex.
func (k *link) announceTwice(now time.Time) {
	k.wants, k.due, k.announce = wantAll, now, announcements
}

// asked takes a question, and returns the answer if it is for the asker alone. It
// needs the mutex.
func (l *LAN) asked(k *link, m message, from netip.AddrPort) packet {
	if l.service == nil {
		return packet{}
	}
	var w wants
	unicast := true
	for _, q := range m.questions {
		if one := l.service.wanted(q); one != 0 {
			w |= one
			unicast = unicast && q.unicast
		}
	}
	if w = l.service.known(w, m.records); w == 0 {
		return packet{}
	}
	r := reply{wants: w, addresses: k.addresses()}
	if from.Port() != mdnsPort {
		r.legacy, unicast = &m, true
	}
	if !unicast {
		now := time.Now()
		due := now.Add(answerDelay + rand.N(answerJitter)) //nolint:gosec // spreads load
		if next := k.sent.Add(answerInterval); due.Before(next) {
			due = next
		}
		if k.wants == 0 || due.Before(k.due) {
			k.due = due
		}
		k.wants |= w
		l.poke()
		return packet{}
	}
	data, err := l.service.answer(r)
	if err != nil || !l.unicast.Allow() {
		return packet{}
	}
	return packet{data: data, wire: k.wire, via: k.Interface, to: from}
}

// due returns what is to be multicast now, and when to look again. It needs the
// mutex.
func (l *LAN) due(now time.Time) (out []packet, next time.Time) {
	next = now.Add(time.Hour)
	for _, k := range l.links {
		if l.service == nil || k.wants == 0 {
			continue
		}
		if now.Before(k.due) {
			next = earlier(next, k.due)
			continue
		}
		data, err := l.service.answer(reply{wants: k.wants, addresses: k.addresses()})
		k.wants, k.sent = 0, now
		if err != nil {
			continue
		}
		out = append(out, packet{data: data, wire: k.wire, via: k.Interface})
		if k.announce--; k.announce > 0 {
			k.wants, k.due = wantAll, now.Add(answerInterval)
			next = earlier(next, k.due)
		}
	}
	return out, next
}
