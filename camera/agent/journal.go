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

// journal writes into the access log who came, who left and who was refused.
// Without a log it does nothing. Safe for concurrent use.
type journal struct {
	// Constant after construction.
	log      *accesslog.Log // may be nil
	refusals *rate.Limiter

	mu   sync.Mutex // guards what follows
	last map[identity.PeerID]time.Time
}

func newJournal(log *accesslog.Log) *journal {
	return &journal{log: log, refusals: rate.NewLimiter(refusedPerSecond, refusedBurst), last: make(map[identity.PeerID]time.Time)}
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

// came notes that a viewer is connected.
func (j *journal) came(s *session, from string) {
	if p := s.principal.Load(); p != nil {
		j.by(accesslog.Came, p, s.purpose(), from)
	}
}

// left notes that a viewer is gone who came.
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
