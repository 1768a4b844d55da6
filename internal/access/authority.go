package access

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

var (
	// ErrIssuer means that nobody who may do so has given this.
	ErrIssuer = errors.New("this access was not given by an owner of this device")
	// ErrHolder means that it is somebody else's.
	ErrHolder = errors.New("this access was given to another device")
	// ErrAudience means that it is for another place.
	ErrAudience = errors.New("this access is not for this device")
	// ErrExpired means that it has ended.
	ErrExpired = errors.New("this access has expired; ask for a new one")
	// ErrRevoked means that it was taken back.
	ErrRevoked = errors.New("this access was revoked")
)

// Authority is what one publisher judges tokens by. It is not changed by its
// methods.
type Authority struct {
	// Publisher is the publisher itself.
	Publisher identity.PeerID
	// Home is the home it belongs to, "" as long as there is no access list.
	Home string
	// Owner reports whether a peer is an owner now. Nil: nobody is.
	Owner func(identity.PeerID) bool
	// Member reports whether a publisher belongs to the home now, so that grants
	// which it made of invites count here too. Nil: none but Publisher does, which
	// always does.
	Member func(identity.PeerID) bool
	// Revoked reports whether a grant or invite (RevokedGrant and its jti) or a
	// peer (RevokedPeer and its PeerID) was revoked. Nil: nothing was.
	Revoked func(kind, id string) bool
}

// Check reports whether a grant gives its scope to holder, here and now. Errors
// wrap one of the sentinels above, or ErrScope, and name their check: Holder,
// Audience, Issuer, Narrowing, Revoked or Expiry.
func (a Authority) Check(g *Grant, holder identity.PeerID, now time.Time) error {
	if !check.Off(check.Holder) && g.Holder != holder {
		return check.Refused(check.Holder, ErrHolder)
	}
	return a.chain(g.link(), now)
}

// CheckInvite reports whether an invite can be redeemed, here and now. Errors
// are as those of Check.
func (a Authority) CheckInvite(v *Invite, now time.Time) error {
	l := v.link()
	l.expires = earlier(v.Expires, v.Scope.Expires)
	if v.Redeemer != a.Publisher {
		l.audience = "" // redeemed elsewhere
	}
	if v.Owner && !a.owner(v.Issuer) {
		l.issuer = "" // only owners make owners
	}
	return a.chain(l, now)
}

// chain checks a token and everything it comes from.
func (a Authority) chain(l *link, now time.Time) error {
	for ; l != nil; l = l.parent {
		if !check.Off(check.Audience) && l.audience != string(a.Publisher) && (a.Home == "" || l.audience != a.Home) {
			return check.Refused(check.Audience, ErrAudience)
		}
		if !check.Off(check.Issuer) && !a.issued(l) {
			return check.Refused(check.Issuer, ErrIssuer)
		}
		if err := narrowed(l); !check.Off(check.Narrowing) && err != nil {
			return check.Refused(check.Narrowing, err)
		}
		if !check.Off(check.Revoked) && a.revoked(l) {
			return check.Refused(check.Revoked, ErrRevoked)
		}
		if !check.Off(check.Expiry) && expired(l, now) {
			return check.Refused(check.Expiry, ErrExpired)
		}
	}
	return nil
}

// issued reports whether the issuer may have issued l: as the receiver of what
// it comes from, if that is an invite as a publisher of this home, as an owner, or as this publisher for itself alone.
func (a Authority) issued(l *link) bool {
	if l.parent != nil {
		redeemed := l.parent.deadline != 0
		return l.parent.receiver == l.issuer && (!redeemed || a.member(l.issuer))
	}
	return a.owner(l.issuer) || l.issuer == a.Publisher && l.audience == string(a.Publisher)
}

func (a Authority) member(peer identity.PeerID) bool {
	return peer == a.Publisher || a.Member != nil && a.Member(peer)
}

func (a Authority) owner(peer identity.PeerID) bool { return a.Owner != nil && a.Owner(peer) }

// narrowed reports whether l gives no more than what it comes from.
func narrowed(l *link) error {
	if l.parent == nil {
		return nil
	}
	if l.parent.owner || !l.parent.mayBePassedOn() {
		return fmt.Errorf("%w: it may not be passed on", ErrScope)
	}
	return l.scope.Within(l.parent.scope)
}

func (a Authority) revoked(l *link) bool {
	if a.Revoked == nil {
		return false
	}
	return a.Revoked(RevokedGrant, l.id) ||
		slices.ContainsFunc([]identity.PeerID{l.issuer, l.receiver}, func(p identity.PeerID) bool {
			return a.Revoked(RevokedPeer, string(p))
		})
}

// expired reports whether l has ended, or was made of an invite that had.
func expired(l *link, now time.Time) bool {
	if l.expires != 0 && now.Unix() >= l.expires {
		return true
	}
	return l.parent != nil && l.parent.deadline != 0 && l.issued >= l.parent.deadline
}

// earlier returns the earlier of two ends, of which 0 is none.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
