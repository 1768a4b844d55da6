package trust

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// Bounds of what is remembered of invites.
const (
	// MaxInvites is how many invites may wait.
	MaxInvites = 64
	// MaxInvitesPerGuest is how many of those that have not expired, used ones
	// included, may be one guest's who passes on what it has.
	MaxInvitesPerGuest = 8

	maxInviteRecords  = 192 // used ones included, which are remembered until they expire
	maxConsoleInvites = 256 // whose grants may still count
	// inviteMemory is how long after its end it is still said that an invite was
	// used or has expired.
	inviteMemory = 24 * time.Hour
)

// inviteRecord is an invite that waits or was used. It never changes.
type inviteRecord struct {
	invite *access.Invite
	secret []byte
	used   bool
	grant  *access.Grant // what it gave, until that is where it belongs
}

// consoleInvite is an invite of the console whose grant may still count.
type consoleInvite struct {
	ID string `json:"jti"`
	// Expires is the grant's end, in Unix seconds, or 0.
	Expires int64 `json:"exp"`
}

// pendingOwner is an owner whom no list has yet.
type pendingOwner struct {
	ID           identity.PeerID
	Name, Device string
	Since        int64 // Unix seconds
	invite       *access.Invite
}

// AddInvite keeps an invite that p has signed, and its secret, until somebody
// comes with it. p is an owner, or a guest who may pass on what it has. The same
// invite once more is no error. Errors wrap ErrInvite, access.ErrToken, ErrTooMany,
// ErrUsed, or what access.Authority.CheckInvite returns.
func (t *Trust) AddInvite(p *Principal, invite, secret string) error {
	v, err := access.ParseInvite(invite)
	if err != nil {
		return err
	}
	raw, err := access.ParseSecret(secret)
	if err != nil {
		return check.Refused(check.Form, err)
	}
	switch {
	case v.Issuer != p.Peer:
		return fmt.Errorf("%w: somebody else has signed it", ErrInvite)
	case v.Redeemer != t.id:
		return fmt.Errorf("%w: it is to be redeemed at another device", ErrInvite)
	case !access.EqualProofs(v.Commit, access.CommitOf(raw)):
		return fmt.Errorf("%w: the secret is not the one it names", ErrInvite)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.state.Load()
	t.learnTime(s.signedTime(originOfInvite(v)))
	if err := s.judgeInvite(v, t.Now()); err != nil {
		return err
	}
	if i := slices.IndexFunc(s.invites, func(r inviteRecord) bool { return r.invite.ID == v.ID }); i >= 0 {
		switch {
		case s.invites[i].used:
			return ErrUsed
		case s.invites[i].invite.Compact() == invite:
			return nil
		}
		return fmt.Errorf("%w: another one has its number", ErrInvite)
	}
	return t.addInvite(s, v, raw)
}

// judgeInvite reports whether an invite counts here and now. Only owners by the
// lists make owners.
func (s *state) judgeInvite(v *access.Invite, now time.Time) error {
	a := s.authority(originOfInvite(v))
	if v.Owner {
		a.Owner = s.mayMakeOwners
	}
	return a.CheckInvite(v, now)
}

// addInvite makes room and keeps an invite. Its caller holds mu.
func (t *Trust) addInvite(s *state, v *access.Invite, secret []byte) error {
	if err := t.redeemable(v); err != nil {
		return err
	}
	now := t.Now().Unix()
	next := s.next()
	next.invites, next.console = s.inviteRecords(now, maxInviteRecords-1), s.consoleInvites(now)
	waiting, own := 0, 0
	for _, r := range next.invites {
		if now >= r.invite.Expires {
			continue
		}
		if !r.used {
			waiting++
		}
		if r.invite.Issuer == v.Issuer {
			own++
		}
	}
	guest := !s.isOwner(v.Issuer) && v.Issuer != t.id
	switch {
	case waiting >= MaxInvites, len(next.invites) >= maxInviteRecords:
		return fmt.Errorf("%w invites wait; remove one, or let some expire", ErrTooMany)
	case guest && own >= MaxInvitesPerGuest:
		return fmt.Errorf("%w invites of yours; let some expire", ErrTooMany)
	}
	if v.Issuer == t.id {
		if len(next.console) >= maxConsoleInvites {
			return fmt.Errorf("%w guests were invited at the console; revoke some", ErrTooMany)
		}
		next.console = append(next.console, consoleInvite{ID: v.ID, Expires: v.Scope.Expires})
	}
	next.invites = append(next.invites, inviteRecord{invite: v, secret: secret})
	if err := t.store.saveClaims(next); err != nil {
		return fmt.Errorf("the invite was not kept, since it cannot be written down: %w", err)
	}
	t.put(next)
	return nil
}

// redeemable reports whether the grant made of an invite will fit, whatever the
// guest's device is called.
func (t *Trust) redeemable(v *access.Invite) error {
	if v.Owner {
		return nil
	}
	longest := strings.Repeat("\U0001F4F7", access.MaxName)
	compact, err := access.Redeem(t.options.Publisher, v, v.Redeemer, longest, t.Now())
	if err == nil {
		_, err = access.ParseGrant(compact)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvite, err)
	}
	return nil
}

// inviteRecords returns the records without those that nobody will ask for any
// more, and without expired ones as long as there are more than most.
func (s *state) inviteRecords(now int64, most int) []inviteRecord {
	records := slices.DeleteFunc(slices.Clone(s.invites), func(r inviteRecord) bool {
		return now >= r.invite.Expires+int64(inviteMemory/time.Second)
	})
	for len(records) > most {
		i := slices.IndexFunc(records, func(r inviteRecord) bool { return now >= r.invite.Expires })
		if i < 0 {
			break
		}
		records = slices.Delete(records, i, i+1)
	}
	return records
}

// consoleInvites returns the invites of the console whose grants may count: those
// that wait, and those that were used and whose grant has not ended.
func (s *state) consoleInvites(now int64) []consoleInvite {
	return slices.DeleteFunc(slices.Clone(s.console), func(c consoleInvite) bool {
		if s.revoked(access.RevokedGrant, c.ID) || c.Expires != 0 && now >= c.Expires {
			return true
		}
		return slices.ContainsFunc(s.invites, func(r inviteRecord) bool {
			return r.invite.ID == c.ID && !r.used && now >= r.invite.Expires
		})
	})
}

// RemoveInvite forgets an invite that waits: an owner's and the console's right,
// and that of whoever made it. The error wraps ErrRight or ErrUnknown.
func (t *Trust) RemoveInvite(p *Principal, jti string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.state.Load()
	i := slices.IndexFunc(s.invites, func(r inviteRecord) bool { return r.invite.ID == jti && !r.used })
	if i < 0 {
		return fmt.Errorf("%w: no such invite waits here", ErrUnknown)
	}
	own := p.Peer != "" && s.invites[i].invite.Issuer == p.Peer
	if err := need(own || p.Owner() || p.Role == RoleConsole); err != nil {
		return err
	}
	return t.notKept(t.dropInvite(s, jti))
}

// dropInvite forgets an invite whether or not that can be written down. Its
// caller holds mu.
func (t *Trust) dropInvite(s *state, jti string) error {
	next := s.next()
	next.invites = slices.DeleteFunc(slices.Clone(s.invites), func(r inviteRecord) bool { return r.invite.ID == jti && !r.used })
	next.console = slices.DeleteFunc(slices.Clone(s.console), func(c consoleInvite) bool { return c.ID == jti })
	t.put(next)
	return t.writeClaims(next)
}

// notKept wraps the failure to write down what is in force already.
func (t *Trust) notKept(err error) error {
	if err == nil {
		return nil
	}
	t.options.Logger.Error("a change of access is in force and cannot be written down", "error", err)
	return fmt.Errorf("%w: %w", ErrNotKept, err)
}

// ConsoleInvite makes an invite that this publisher signs itself, good here and
// until the next reset only. lifetime is how long its link works; 0 means
// access.DefaultInviteLifetime. The scope's cameras are this publisher's. Errors
// wrap access.ErrToken, ErrInvite or ErrTooMany.
func (t *Trust) ConsoleInvite(scope access.Scope, name string, lifetime time.Duration) (jti, secret string, err error) {
	if err := scope.Validate(); err != nil {
		return "", "", err
	}
	if err := t.ownCameras(scope.Cameras); err != nil {
		return "", "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	compact, secret, err := access.NewInvite(t.options.Publisher, access.InviteRequest{
		Redeemer: t.id, Audience: string(t.id), Name: name, Scope: scope, Lifetime: lifetime,
	}, t.Now())
	if err != nil {
		return "", "", err
	}
	v, err := access.ParseInvite(compact)
	if err != nil {
		return "", "", err
	}
	raw, err := access.ParseSecret(secret)
	if err != nil {
		return "", "", err
	}
	if err := t.addInvite(t.state.Load(), v, raw); err != nil {
		return "", "", err
	}
	return v.ID, secret, nil
}

// ownCameras reports whether the entries of a scope name cameras that are here.
func (t *Trust) ownCameras(entries []string) error {
	if t.options.Cameras == nil {
		return nil
	}
	all := t.options.Cameras()
	for _, e := range entries {
		publisher, camera, _ := strings.Cut(e, "/")
		switch {
		case e == access.AnyCamera:
		case publisher != string(t.id):
			return fmt.Errorf("%w: it names a camera of another device", ErrInvite)
		case camera != "*" && !slices.Contains(all, camera):
			return fmt.Errorf("%w: there is no camera %q here, only %s", ErrInvite, camera, strings.Join(all, ", "))
		}
	}
	return nil
}
