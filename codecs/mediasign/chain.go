package mediasign

import (
	"slices"
	"time"
)

// chainLink is a document in the chain, or some that are missing.
type chainLink struct {
	claim *claim // nil: missing
	// missing is how many documents are not there, bad the one that stands there
	// instead, with a wrong signature.
	missing int
	bad     *claim
	counter uint32 // of the first missing one
	base    int    // number of the claim's first slot
}

// session is what a signer signed without beginning anew, as far as it is there.
type session struct {
	claims []*claim // by counter
	joined bool     // it had begun before the first
}

// maxGhosts is how many missing documents in a row are looked at one by one.
const maxGhosts = 64

// order puts documents in the order in which they were signed, with their sessions.
// last is the newest one judged before, or nil.
func order(claims []*claim, last *claim) []*claim {
	var sessions []*session
	if last != nil {
		sessions = append(sessions, &session{claims: []*claim{last}})
	}
	for _, c := range claims {
		if s := home(sessions, c); s != nil {
			at, _ := slices.BinarySearchFunc(s.claims, c, byCounter)
			s.claims = slices.Insert(s.claims, at, c)
			continue
		}
		sessions = append(sessions, &session{claims: []*claim{c}, joined: !c.doc.first()})
	}
	slices.SortStableFunc(sessions, func(a, b *session) int {
		x, y := a.claims[0].doc.Start, b.claims[0].doc.Start
		if unset(x) || unset(y) {
			return 0 // a clock that was not set yet says nothing
		}
		return x.Compare(y)
	})
	var out []*claim
	earlier := last != nil
	for i, s := range sessions {
		for j, c := range s.claims {
			c.session, c.joined = i, j == 0 && s.joined
			if c == last {
				earlier = false
				continue
			}
			c.earlier = earlier
			if j > 0 {
				before := s.claims[j-1].doc
				c.sub = before.Partial && before.Counter+1 == c.doc.Counter
			}
			out = append(out, c)
		}
	}
	return out
}

func byCounter(a, b *claim) int {
	switch {
	case a.doc.Counter < b.doc.Counter:
		return -1
	case a.doc.Counter > b.doc.Counter:
		return 1
	}
	return 0
}

// unset reports whether a time is that of a clock that was never set.
func unset(t time.Time) bool { return t.Year() < 2000 }

// home returns the session that a document belongs to; nil if it begins one, or is
// the first one seen of its session.
func home(sessions []*session, c *claim) *session {
	if c.doc.first() {
		return nil
	}
	for _, s := range slices.Backward(sessions) {
		if s.claims[0].origin.sameKey(c.origin) && s.takes(c) {
			return s
		}
	}
	return nil
}

// takes reports whether a document fits between its neighbours by counter: the
// hash of the one before where it is next to it, the times otherwise.
func (s *session) takes(c *claim) bool {
	at, taken := slices.BinarySearchFunc(s.claims, c, byCounter)
	if taken {
		return false
	}
	return (at == 0 || joins(s.claims[at-1], c)) && (at == len(s.claims) || !s.claims[at].doc.first() && joins(c, s.claims[at]))
}

// joins reports whether b may come after a in one session.
func joins(a, b *claim) bool {
	if a.doc.Counter+1 == b.doc.Counter {
		return b.follows(a)
	}
	return unset(a.doc.Start) || unset(b.doc.Start) || !b.doc.Start.Before(a.doc.Start)
}

// links returns the chain with what is missing in it. The wrong documents are put
// where one is missing; those without such a place are returned.
func links(claims, bad []*claim, last *claim) (chain []chainLink, stray []*claim) {
	before := last
	for _, c := range claims {
		if before != nil && before.session == c.session && c.doc.Counter > before.doc.Counter+1 {
			chain = append(chain, ghosts(before.doc.Counter+1, int(c.doc.Counter-before.doc.Counter-1))...)
		}
		chain = append(chain, chainLink{claim: c})
		before = c
	}
	for _, b := range bad {
		if !place(&chain, b, last == nil) {
			stray = append(stray, b)
		}
	}
	return chain, stray
}

// ghosts stand for n missing documents: one by one, unless they are very many.
func ghosts(counter uint32, n int) []chainLink {
	var out []chainLink
	for n > 0 {
		g := chainLink{missing: 1, counter: counter}
		if len(out) == maxGhosts-1 {
			g.missing = n
		}
		out = append(out, g)
		counter += uint32(g.missing)
		n -= g.missing
	}
	return out
}

// place puts a wrong document where one is missing at that point of the stream.
// begins says that the stream does with the chain.
func place(chain *[]chainLink, b *claim, begins bool) bool {
	links := *chain
	next := slices.IndexFunc(links, func(l chainLink) bool { return l.claim != nil && l.claim.seq > b.seq })
	own := chainLink{missing: 1, bad: b, counter: counterOf(b)}
	if next < 0 {
		*chain = append(links, own)
		return true
	}
	best := -1
	at := next - 1
	for ; at >= 0 && links[at].claim == nil; at-- {
		if links[at].bad == nil && (best < 0 || links[at].counter == counterOf(b)) {
			best = at
		}
	}
	switch {
	case best >= 0:
		links[best].bad = b
	case at < 0 && begins:
		*chain = slices.Insert(links, next, own)
	default:
		return false
	}
	return true
}

func counterOf(c *claim) uint32 {
	if c.doc == nil {
		return 0
	}
	return c.doc.Counter
}
