package agent

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/trust"
)

// Identities cost nothing, and the log has an end: strangers must not be able to
// push out of it who was here before.
const (
	refusedEvery     = time.Minute // for one peer
	refusedPeers     = 1024        // remembered
	refusedPerSecond = 0.1         // for all of them
	refusedBurst     = 20
)

// Those who may watch must not push it out either, by coming and going all day:
// what one of them can write in a month fits into the log.
const (
	visitsPerSecond = 1.0 / 60 // of one peer
	visitsBurst     = 60
	visitors        = 1024 // remembered; more share one allowance
)

// visits is what is left to one peer of visits that are written down.
type visits struct {
	left   *rate.Limiter
	silent int // that were not written down since the last that was
}

func newVisits() *visits { return &visits{left: rate.NewLimiter(visitsPerSecond, visitsBurst)} }

// journal writes into the access log who came, who left and who was refused.
// Without a log it does nothing. Safe for concurrent use.
type journal struct {
	// Constant after construction.
	log      *accesslog.Log // may be nil
	refusals *rate.Limiter

	mu     sync.Mutex // guards what follows
	last   map[identity.PeerID]time.Time
	visits map[identity.PeerID]*visits
	rest   *visits // of whoever comes when no more are remembered
}

func newJournal(log *accesslog.Log) *journal {
	return &journal{
		log: log, refusals: rate.NewLimiter(refusedPerSecond, refusedBurst), last: make(map[identity.PeerID]time.Time),
		visits: make(map[identity.PeerID]*visits), rest: newVisits(),
	}
}

func (j *journal) add(e accesslog.Entry) {
	if j.log != nil {
		j.log.Add(e)
	}
}

// by is an entry of something that a principal did.
func (j *journal) by(kind accesslog.Kind, p *trust.Principal, what, from string) {
	j.add(accesslog.Entry{Kind: kind, Peer: string(p.Peer), Name: p.Name, What: what, From: from})
}

// came notes that a viewer is connected, and reports whether it did: of those who
// come too often it is said that they do, and then how often.
func (j *journal) came(now time.Time, s *session, from string) bool {
	p := s.principal.Load()
	if p == nil {
		return false
	}
	what := s.purpose()
	j.mu.Lock()
	v := j.visitsLocked(now, p.Peer)
	if v.left.AllowN(now, 1) {
		if v.silent > 0 {
			what = fmt.Sprintf("%s; %d visits before this one are not written down", what, v.silent)
		}
		v.silent = 0
	} else if v.silent++; v.silent == 1 {
		what += "; this is too often, and the next visits are counted only"
	} else {
		j.mu.Unlock()
		return false
	}
	j.mu.Unlock()
	j.by(accesslog.Came, p, what, from)
	return true
}

// visitsLocked returns what is left to a peer.
func (j *journal) visitsLocked(now time.Time, peer identity.PeerID) *visits {
	if v, ok := j.visits[peer]; ok {
		return v
	}
	if len(j.visits) >= visitors {
		for p, v := range j.visits {
			if v.left.TokensAt(now) >= visitsBurst && v.silent == 0 {
				delete(j.visits, p)
			}
		}
	}
	if len(j.visits) >= visitors {
		return j.rest
	}
	v := newVisits()
	j.visits[peer] = v
	return v
}

// left notes that a viewer is gone whose coming was noted.
func (j *journal) left(s *session, from string, now time.Time) {
	if p := s.principal.Load(); p != nil {
		j.by(accesslog.Left, p, fmt.Sprintf("%s, for %v", s.purpose(), now.Sub(s.started).Round(time.Second)), from)
	}
}

// refused notes that a peer was refused, at most once a minute.
func (j *journal) refused(now time.Time, peer identity.PeerID, what, from string) {
	if j.log == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if last, ok := j.last[peer]; ok && now.Sub(last) < refusedEvery && !now.Before(last) {
		return
	}
	if len(j.last) >= refusedPeers {
		for p, t := range j.last {
			if now.Sub(t) >= refusedEvery || now.Before(t) {
				delete(j.last, p)
			}
		}
	}
	if len(j.last) >= refusedPeers || !j.refusals.AllowN(now, 1) {
		return
	}
	j.last[peer] = now
	j.add(accesslog.Entry{Kind: accesslog.Refused, Peer: string(peer), What: what, From: from})
}

// clock notes that times in the log cannot be trusted from here on.
func (j *journal) clock() {
	j.add(accesslog.Entry{Kind: accesslog.Clock, What: "the clock cannot be right"})
}
