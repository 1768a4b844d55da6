package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sightline-cam/sightline/internal/identity"
)

const (
	// maxSearches is how many calls of Browse run at a time.
	maxSearches = 16
	// maxFound is how many agents one of them finds, and maxAddresses how many
	// addresses of each are kept.
	maxFound     = 64
	maxAddresses = 16
)

// Browse calls found for each agent that answers, and again when what it says
// changes, until ctx ends; then it returns nil. If peer is not empty, for that
// agent alone. The question on the network is the same: it does not say who is
// looked for. At most 64 agents are found. Anybody on the network can answer in an
// agent's name: whoever dials what was found has to be shown the agent's key.
//
// Errors: of opening the sockets; ErrBusy, net.ErrClosed.
func (l *LAN) Browse(ctx context.Context, peer identity.PeerID, found func(Service)) error {
	question, err := ask(serviceName, dnsmessage.TypePTR)
	if err != nil {
		return fmt.Errorf("browse: %w", err)
	}
	if err := l.begin(ctx); err != nil {
		return fmt.Errorf("browse: %w", err)
	}
	defer l.end()
	s := &search{peer: peer, agents: make(map[identity.PeerID]*sighting), news: make(chan struct{}, 1)}
	l.mu.Lock()
	if len(l.searches) >= maxSearches {
		l.mu.Unlock()
		return fmt.Errorf("browse: %w", ErrBusy)
	}
	l.searches[s] = struct{}{}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.searches, s)
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for pause := firstPause; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-l.closed:
			return fmt.Errorf("browse: %w", net.ErrClosed)
		case <-s.news:
			l.mu.Lock()
			fresh := s.fresh()
			l.mu.Unlock()
			for _, one := range fresh {
				found(one)
			}
		case <-timer.C:
			l.mu.Lock()
			l.rescan(time.Now(), freshScan)
			out := l.toAll(question)
			l.mu.Unlock()
			l.send(out...)
			timer.Reset(pause)
			pause = min(2*pause, lastPause)
		}
	}
}

// Find returns the first answer that Browse gets for peer. Anybody on this network
// can give it: who must get through in spite of that tries what Browse finds next.
//
// Errors: as Browse's; ErrNotFound with the cause when ctx ended.
func (l *LAN) Find(ctx context.Context, peer identity.PeerID) (Service, error) {
	browse, stop := context.WithCancel(ctx)
	defer stop()
	var first *Service
	err := l.Browse(browse, peer, func(s Service) {
		if first == nil {
			first = &s
			stop()
		}
	})
	switch {
	case first != nil:
		return *first, nil
	case err != nil:
		return Service{}, err
	}
	return Service{}, errors.Join(ErrNotFound, context.Cause(ctx))
}

// search is a call of Browse. The LAN's mutex guards it.
type search struct {
	// Constant.
	peer identity.PeerID // the only one; empty for all
	news chan struct{}   // holds one

	agents map[identity.PeerID]*sighting
}

// sighting is what was heard of an agent so far.
type sighting struct {
	service    Service
	srv, txt   bool
	unreported bool
}

func (s *sighting) complete() bool { return s.srv && s.txt && len(s.service.Addresses) > 0 }

// take takes what somebody says. The records of one agent may come in several
// messages.
func (s *search) take(k *link, records []record) {
	for _, r := range records {
		peer, ok := r.agent()
		if !ok || s.peer != "" && peer != s.peer {
			continue
		}
		if r.ttl == 0 {
			if r.kind == dnsmessage.TypePTR {
				delete(s.agents, peer)
			}
			continue
		}
		a := s.agents[peer]
		if a == nil {
			if len(s.agents) >= maxFound {
				continue
			}
			a = &sighting{service: Service{Peer: peer}}
			s.agents[peer] = a
		}
		if a.take(k, r) {
			a.unreported = true
		}
		if a.unreported && a.complete() {
			select {
			case s.news <- struct{}{}:
			default:
			}
		}
	}
}

// agent returns whom a record is about.
func (r record) agent() (identity.PeerID, bool) {
	switch r.kind {
	case dnsmessage.TypePTR:
		peer, ok := peerOf(r.target, "."+serviceName)
		return peer, ok && r.name == serviceName
	case dnsmessage.TypeSRV, dnsmessage.TypeTXT:
		return peerOf(r.name, "."+serviceName)
	case dnsmessage.TypeA, dnsmessage.TypeAAAA:
		return peerOf(r.name, localDomain)
	default:
		return "", false
	}
}

// take reports whether a record says something new.
func (s *sighting) take(k *link, r record) bool {
	before := s.service
	switch r.kind {
	case dnsmessage.TypeSRV:
		if r.target != hostName(s.service.Peer) {
			return false
		}
		news := !s.srv || s.service.Port != r.port
		s.srv, s.service.Port = true, r.port
		return news
	case dnsmessage.TypeTXT:
		if !s.service.setText(r.text) {
			return false
		}
		news := !s.txt || before.UDP != s.service.UDP || before.TLS != s.service.TLS
		s.txt = true
		return news
	case dnsmessage.TypeA, dnsmessage.TypeAAAA:
		addr, ok := k.usable(r.addr)
		if !ok {
			return false
		}
		news := !slices.Contains(before.Addresses, addr)
		rest := slices.DeleteFunc(slices.Clone(before.Addresses), func(a netip.Addr) bool { return a == addr })
		s.service.Addresses = append([]netip.Addr{addr}, rest[:min(len(rest), maxAddresses-1)]...)
		return news
	default:
		return false
	}
}

// fresh returns the agents of whom there is something new.
func (s *search) fresh() []Service {
	var out []Service
	for _, a := range s.agents {
		if a.unreported && a.complete() {
			a.unreported = false
			one := a.service
			one.Addresses = slices.Clone(one.Addresses)
			out = append(out, one)
		}
	}
	return out
}
