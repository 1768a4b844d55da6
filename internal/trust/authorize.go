package trust

import (
	"slices"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// maxShown is how many of the grants that a peer shows are looked at.
const maxShown = 8

// Authorize says who a peer is, by what is known here and by the grants that it
// shows: an owner, somebody listed, a guest with the union of its grants that
// count, or, at an open publisher, anybody. Grants that count are remembered.
// Else the error says which check refused the first grant it has, or, if it has
// none, that it is not allowed.
func (t *Trust) Authorize(peer identity.PeerID, grants []string) (*Principal, error) {
	s := t.state.Load()
	shown, err := s.read(peer, grants[:min(len(grants), maxShown)])
	if !s.isOwner(peer) {
		t.learnTimes(s, shown)
	}
	p, judged := t.judge(s, peer, shown)
	if p == nil {
		if err != nil && len(shown) == 0 {
			return nil, err // what it showed cannot even be read
		}
		return nil, judged
	}
	if p.Role != RoleOwner && len(p.grants) > 0 {
		t.remember(peer, p.grants)
	}
	return p, nil
}

// read parses grants, those it has seen already without cryptography. The error
// is that of the first that cannot be read.
func (s *state) read(peer identity.PeerID, grants []string) ([]*access.Grant, error) {
	var all []*access.Grant
	var first error
	for _, compact := range grants {
		if h := s.holders[peer]; h != nil && h.has(compact) {
			continue // it is judged with the others of this holder
		}
		g, err := access.ParseGrant(compact)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		all = append(all, g)
	}
	return all, first
}

// learnTimes takes in when owners have signed what is shown, so that a clock that
// is behind lets in nobody whose access that very time has ended.
func (t *Trust) learnTimes(s *state, shown []*access.Grant) {
	latest := int64(0)
	for _, g := range shown {
		latest = max(latest, s.signedTime(originOfGrant(g)))
	}
	if latest <= t.latest.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.learnTime(latest)
}

// Renew says whether a principal still holds, cheaply enough for every request:
// it returns the same pointer if nothing changed, another principal if it may do
// more or less than before, and an error, as Authorize's, if nothing is left.
func (t *Trust) Renew(p *Principal) (*Principal, error) {
	if p.Role == RoleConsole {
		return p, nil
	}
	s := t.state.Load()
	if p.renewed.Load() == s.generation && (p.change == 0 || t.Now().Unix() < p.change) && t.stillListed(p) {
		return p, nil
	}
	q, err := t.judge(s, p.Peer, p.grants)
	if err != nil {
		return nil, err
	}
	if !q.same(p) {
		return q, nil
	}
	p.renewed.Store(s.generation)
	return p, nil
}

// stillListed looks again at a list that may change without notice.
func (t *Trust) stillListed(p *Principal) bool {
	if p.Role != RoleListed {
		return true
	}
	name, ok := t.options.Listed(p.Peer)
	return ok && name == p.Name
}

// judge says who a peer is, by the grants that it has shown and those that are
// remembered.
func (t *Trust) judge(s *state, peer identity.PeerID, shown []*access.Grant) (*Principal, error) {
	p := &Principal{Peer: peer, publisher: t.id}
	p.renewed.Store(s.generation)
	if o, ok := s.owner(peer); ok {
		p.Role, p.Name, p.Device, p.scopes = RoleOwner, o.Name, o.Device, everything()
		return p, nil
	}
	p.dispute = s.mayDispute(peer)
	if !check.Off(check.Revoked) && s.revoked(access.RevokedPeer, string(peer)) {
		return p.onlyDisputing(check.Refused(check.Revoked, access.ErrRevoked))
	}
	reason := p.addGrants(s, shown, t.Now())
	if reason == nil {
		reason = check.Refused(check.Allowed, ErrNotAllowed)
	}
	if len(p.grants) > 0 {
		p.Role = RoleGuest
	}
	if name, ok := t.options.Listed(peer); ok {
		p.Role, p.Name, p.Expires = RoleListed, name, time.Time{}
		p.scopes = append(p.scopes, everythingBut(access.Admin))
	}
	if t.options.Open || len(p.scopes) == 0 && check.Off(check.Allowed) {
		p.scopes, p.Expires = append(p.scopes, watching()), time.Time{}
	}
	if len(p.scopes) == 0 {
		return p.onlyDisputing(reason)
	}
	if p.Role == "" {
		p.Role = RoleOpen
	}
	return p, nil
}

// onlyDisputing returns what is left of a principal without any right: a place to
// answer whoever removed it, or nothing, for a reason.
func (p *Principal) onlyDisputing(reason error) (*Principal, error) {
	if !p.dispute {
		return nil, reason
	}
	p.Role, p.scopes, p.grants, p.Expires = RoleDisputing, nil, nil, time.Time{}
	return p, nil
}

// addGrants adds what the grants of a peer give, those that it has shown and
// those that are remembered, and returns why the first of them gives nothing.
func (p *Principal) addGrants(s *state, shown []*access.Grant, now time.Time) (reason error) {
	all := shown
	if h := s.holders[p.Peer]; h != nil {
		all = append(all[:len(all):len(all)], h.grants...)
	}
	seen := make(map[string]bool, len(all))
	newest, endless := int64(-1), false
	for _, g := range all {
		if seen[g.Compact()] {
			continue
		}
		seen[g.Compact()] = true
		if err := s.judge(g, p.Peer, now); err != nil {
			if reason == nil {
				reason = err
			}
			continue
		}
		p.grants, p.scopes = append(p.grants, g), append(p.scopes, g.Scope)
		if g.Issued > newest {
			newest, p.Name, p.Device = g.Issued, g.Name, g.Device
		}
		switch ends := time.Unix(g.Scope.Expires, 0); {
		case g.Scope.Expires == 0:
			endless = true
		case ends.After(p.Expires):
			p.Expires = ends
		}
		if g.Scope.Expires != 0 && (p.change == 0 || g.Scope.Expires < p.change) {
			p.change = g.Scope.Expires
		}
	}
	if endless {
		p.Expires = time.Time{}
	}
	return reason
}

// judge reports whether a grant counts here and now.
func (s *state) judge(g *access.Grant, holder identity.PeerID, now time.Time) error {
	return s.authority(originOfGrant(g)).Check(g, holder, now)
}

func everything() []access.Scope {
	return []access.Scope{{Rights: access.AllRights(), Cameras: []string{access.AnyCamera}, Pass: true}}
}

func everythingBut(r access.Right) access.Scope {
	without := func(o access.Right) bool { return o == r }
	return access.Scope{Rights: slices.DeleteFunc(access.AllRights(), without), Cameras: []string{access.AnyCamera}}
}

// watching is what an open publisher gives to everybody.
func watching() access.Scope {
	return access.Scope{Rights: []access.Right{access.Live, access.Playback, access.Events}, Cameras: []string{access.AnyCamera}}
}
