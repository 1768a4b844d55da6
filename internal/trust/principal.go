package trust

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// Role is why a principal may do anything.
type Role string

// The roles, the strongest first.
const (
	// RoleConsole is whoever can open the console's socket on the device.
	RoleConsole Role = "console"
	// RoleOwner may do everything and signs access lists.
	RoleOwner Role = "owner"
	// RoleListed is on the list that the publisher was started with: everything
	// but admin.
	RoleListed Role = "listed"
	// RoleGuest has grants.
	RoleGuest Role = "guest"
	// RoleDisputing is an owner whom a less senior one has removed: it may fetch and
	// offer access lists, and has no right to anything else.
	RoleDisputing Role = "disputing"
	// RoleOpen is everybody at a publisher that is open: to watch.
	RoleOpen Role = "open"
)

// Principal is who a request comes from, and what it may do. It does not change;
// Trust.Renew says whether it still holds.
type Principal struct {
	// Peer is "" at the console.
	Peer         identity.PeerID
	Name, Device string
	Role         Role
	// Expires is when nothing of it is left by itself; zero: it does not end.
	Expires time.Time

	publisher identity.PeerID
	scopes    []access.Scope  // what it may do is the union
	grants    []*access.Grant // those that give them
	dispute   bool            // it may offer lists
	change    int64           // in Unix seconds: when a scope ends; 0: never

	renewed atomic.Uint64 // the generation of the state that it was last compared with
}

// Console returns the principal of whoever can open the console's socket on the
// device.
func (t *Trust) Console() *Principal {
	return &Principal{Role: RoleConsole, publisher: t.id, scopes: everything()}
}

// May reports whether the principal has a right on a camera. With camera "" it
// reports whether it has the right on any camera.
func (p *Principal) May(r access.Right, camera string) bool {
	return slices.ContainsFunc(p.scopes, func(s access.Scope) bool { return s.Allows(r, p.publisher, camera) })
}

// Need is May as an error, ErrRight.
func (p *Principal) Need(r access.Right, camera string) error { return need(p.May(r, camera)) }

// NeedOwner returns ErrRight for everybody but owners.
func (p *Principal) NeedOwner() error { return need(p.Owner()) }

// need is the one place where a right decides.
func need(has bool) error {
	if !check.Off(check.Right) && !has {
		return check.Refused(check.Right, ErrRight)
	}
	return nil
}

// MayDispute reports whether the principal is no owner and may offer lists all the
// same, having been removed by somebody less senior. Its role is RoleDisputing if it
// may do nothing else.
func (p *Principal) MayDispute() bool { return p.dispute }

// Owner reports whether the principal is an owner.
func (p *Principal) Owner() bool { return p.Role == RoleOwner }

// Rights returns the rights on one camera, in the order of access.AllRights;
// never nil.
func (p *Principal) Rights(camera string) []access.Right {
	rights := []access.Right{}
	for _, r := range access.AllRights() {
		if p.May(r, camera) {
			rights = append(rights, r)
		}
	}
	return rights
}

// Cameras returns those of all on which the principal has any right at all.
func (p *Principal) Cameras(all []string) []string {
	var some []string
	for _, c := range all {
		if len(p.Rights(c)) > 0 {
			some = append(some, c)
		}
	}
	return some
}

// Pass reports whether the principal may give to others something of what it
// has.
func (p *Principal) Pass() bool {
	return p.Role == RoleOwner || p.Role == RoleGuest && slices.ContainsFunc(p.scopes, func(s access.Scope) bool { return s.Pass })
}

// same reports whether o may do exactly what p may.
func (p *Principal) same(o *Principal) bool {
	return p.Peer == o.Peer && p.Name == o.Name && p.Device == o.Device && p.Role == o.Role && p.dispute == o.dispute && p.Expires.Equal(o.Expires) &&
		p.change == o.change && slices.EqualFunc(p.scopes, o.scopes, func(a, b access.Scope) bool {
		return a.Pass == b.Pass && a.Expires == b.Expires && slices.Equal(a.Rights, b.Rights) && slices.Equal(a.Cameras, b.Cameras)
	})
}
