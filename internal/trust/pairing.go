package trust

import (
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

const (
	// PairingLifetime is how long a pairing stays open.
	PairingLifetime = 10 * time.Minute
	// pairingMemory is how long after its end it is still said that it was used
	// or has expired.
	pairingMemory = 50 * time.Minute
)

// Pairing is a secret that makes its first user the owner.
type Pairing struct {
	// Secret is 16 bytes in base64url, for the link and the QR code only.
	Secret string
	// Expires is when it ends, by the local clock.
	Expires time.Time
}

// pairing is a Pairing as it is remembered, in memory only. It never changes.
type pairing struct {
	secret  []byte
	expires time.Time // with its monotonic part: setting the clock changes nothing
	used    bool
}

// StartPairing lets one claim make an owner within PairingLifetime. An earlier
// secret is worth nothing from now on, and claims are not locked any more. If
// there is an owner the error wraps ErrOwned, unless reset: then owners, access
// lists, grants, invites and local revocations are forgotten first, whatever
// becomes of the pairing.
func (t *Trust) StartPairing(reset bool) (Pairing, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.state.Load()
	switch {
	case s.lists != nil && !reset:
		return Pairing{}, s.ownedError()
	case reset:
		if err := t.forget(); err != nil {
			return Pairing{}, err
		}
	}
	secret := access.NewToken()
	raw, err := access.ParseSecret(secret)
	if err != nil {
		return Pairing{}, err
	}
	p := &pairing{secret: raw, expires: t.options.Now().Add(PairingLifetime)}
	t.pairing.Store(p)
	t.locks.clear()
	return Pairing{Secret: secret, Expires: p.expires}, nil
}

// ownedError names the owner and says what can be done.
func (s *state) ownedError() error {
	who := "nobody who is still trusted"
	if owners := s.owners(); len(owners) > 0 {
		if who = owners[0].Name; who == "" {
			who = "the one with the id " + owners[0].ID.Grouped()
		}
		if owners[0].Device != "" {
			who += " (" + owners[0].Device + ")"
		}
	}
	return fmt.Errorf("%w: %s. Ask for an invite that makes you an owner too, or run sightline pair --reset on the device, which forgets all owners and guests", ErrOwned, who)
}

// forget begins anew. Its caller holds mu. The new file of owners makes all others
// void, so that a power cut leaves either everything or nothing.
func (t *Trust) forget() error {
	before := t.state.Load()
	s := &state{publisher: t.id, generation: before.generation + 1, holders: map[identity.PeerID]*holder{}}
	if err := t.store.begin(s); err != nil {
		return fmt.Errorf("nothing was reset, since that cannot be written down: %w", err)
	}
	t.latest.Store(0)
	t.written, t.unsaved = 0, false
	t.put(s)
	return nil
}

// ClaimOpen reports whether a claim of a kind would be looked at: there is, or was
// a short while ago, a pairing or an invite that waits. Claim says the rest.
func (t *Trust) ClaimOpen(kind string) bool {
	switch kind {
	case access.ClaimPair:
		p := t.pairing.Load()
		return p != nil && t.options.Now().Before(p.expires.Add(pairingMemory))
	case access.ClaimInvite:
		now := t.Now().Unix()
		for _, r := range t.state.Load().invites {
			if now < r.invite.Expires+int64(inviteMemory/time.Second) {
				return true
			}
		}
	}
	return false
}

// ClaimLocked returns an error that has a *LockedError while claims of all peers
// are locked because of wrong tries, else nil.
func (t *Trust) ClaimLocked() error { return t.ClaimLockedFor("") }

// ClaimLockedFor is ClaimLocked for one peer, which may be locked alone: somebody
// else's wrong tries keep nobody out who has not guessed.
func (t *Trust) ClaimLockedFor(peer identity.PeerID) error {
	if left := t.locks.left(peer, t.options.Now()); !check.Off(check.Lock) && left > 0 {
		return check.Refused(check.Lock, &LockedError{RetryAfter: left})
	}
	return nil
}

// wrongTry counts a wrong proof.
func (t *Trust) wrongTry(peer identity.PeerID) {
	all, alone := t.locks.wrong(peer, t.options.Now())
	switch {
	case all > 0:
		t.options.Logger.Warn("claims are locked after too many wrong tries", "for", all)
	case alone > 0:
		t.options.Logger.Warn("the claims of a peer are locked after too many wrong tries", "peer", peer, "for", alone)
	}
}

// pair makes the viewer the owner. Its caller holds mu.
func (t *Trust) pair(c ClaimRequest) (ClaimResult, error) {
	p := t.pairing.Load()
	if p == nil {
		return ClaimResult{}, ErrExpiredClaim
	}
	if err := t.proved(p.secret, c); err != nil {
		return ClaimResult{}, err
	}
	if !t.options.Now().Before(p.expires) {
		return ClaimResult{}, ErrExpiredClaim
	}
	if err := once(p.used); err != nil {
		return ClaimResult{}, err
	}
	next := t.state.Load().next()
	lists := access.NewListState(c.Viewer)
	next.lists, next.root, next.pending = &lists, access.Owner{ID: c.Viewer, Name: c.Name, Device: c.Device}, nil
	next.revoke = without(next.revoke, access.RevokedPeer, string(c.Viewer)) // the console gave it the secret
	if err := t.writeOwners(next); err != nil {
		return ClaimResult{}, fmt.Errorf("nobody was made the owner, since that cannot be written down: %w", err)
	}
	used := *p
	used.used = true
	t.pairing.Store(&used)
	t.put(next)
	return ClaimResult{Role: RoleOwner, Name: c.Name, Proof: t.proof(p.secret, c)}, nil
}

// once is the one place where a secret that was used is refused.
func once(used bool) error {
	if !check.Off(check.Once) && used {
		return check.Refused(check.Once, ErrUsed)
	}
	return nil
}

// proved is the one place where a proof is looked at.
func (t *Trust) proved(secret []byte, c ClaimRequest) error {
	want := access.ClaimProof(secret, c.Kind, access.SideViewer, c.Transcript, c.Viewer, t.id)
	if !check.Off(check.Proof) && !access.EqualProofs(c.Proof, want) {
		t.wrongTry(c.Viewer)
		return check.Refused(check.Proof, ErrWrongProof)
	}
	return nil
}

// proof is the publisher's own.
func (t *Trust) proof(secret []byte, c ClaimRequest) string {
	return access.ClaimProof(secret, c.Kind, access.SidePublisher, c.Transcript, c.Viewer, t.id)
}
