package trust

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

func TestAuthorize_Roles(t *testing.T) {
	h := paired(t, "")
	listed, guest, stranger := newPeer(t), newPeer(t), newPeer(t)
	h.Trust.options.Listed = func(p identity.PeerID) (string, bool) { return "Grandma", p == listed.PeerID() }
	cameras := []string{"door", "garden"}

	o := h.as(h.owner)
	if !o.Owner() || !slices.Equal(o.Cameras(cameras), cameras) || !slices.Equal(o.Rights("door"), access.AllRights()) || o.NeedOwner() != nil {
		t.Errorf("owner: %+v", o)
	}
	l := h.as(listed)
	if l.Role != RoleListed || l.Name != "Grandma" || l.May(access.Admin, "") || !l.May(access.PTZ, "door") || l.Pass() {
		t.Errorf("listed: %+v", l)
	}
	refusedBy(t, check.Right, l.NeedOwner())
	scope := access.Scope{Rights: []access.Right{access.Live, access.Events}, Cameras: []string{access.CameraOf(h.peer(), "garden")}}
	g := h.as(guest, h.grant(guest, scope))
	if g.Role != RoleGuest || !slices.Equal(g.Cameras(cameras), []string{"garden"}) || g.Need(access.Live, "garden") != nil || g.Need(access.Live, "") != nil {
		t.Errorf("guest: %+v", g)
	}
	refusedBy(t, check.Right, g.Need(access.Live, "door"))
	refusedBy(t, check.Right, g.Need(access.PTZ, ""))
	if g.Rights("door") == nil || len(g.Rights("door")) != 0 {
		t.Errorf("rights: %v", g.Rights("door"))
	}
	c := h.Console()
	if renewed, err := h.Renew(c); c.Role != RoleConsole || c.Owner() || !c.May(access.Admin, "") || renewed != c || err != nil {
		t.Errorf("console: %+v %v", c, err)
	}
	_, err := h.Authorize(stranger.PeerID(), nil)
	if refusedBy(t, check.Allowed, err); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("got %v", err)
	}
	for peer, known := range map[identity.PeerID]bool{
		h.owner.PeerID(): true, listed.PeerID(): true, guest.PeerID(): true, stranger.PeerID(): false, "": false,
	} {
		if h.Known(peer) != known {
			t.Errorf("%s known: %v", peer, !known)
		}
	}
}

func TestAuthorize_OpenLetsAnybodyWatch(t *testing.T) {
	h := paired(t, "")
	h.Trust.options.Open = true
	stranger, guest := newPeer(t), newPeer(t)
	p := h.as(stranger)
	if p.Role != RoleOpen || !p.May(access.Live, "door") || p.May(access.Talk, "") || p.May(access.PTZ, "") || p.May(access.Admin, "") || h.Known(stranger.PeerID()) {
		t.Errorf("%+v", p)
	}
	scope := h.until(access.Scope{Rights: []access.Right{access.PTZ}, Cameras: []string{access.AnyCamera}}, time.Minute)
	if g := h.as(guest, h.grant(guest, scope)); g.Role != RoleGuest || !g.May(access.PTZ, "x") || !g.May(access.Live, "x") || !g.Expires.IsZero() {
		t.Errorf("%+v", g)
	}
	if _, err := h.RevokeHere(string(stranger.PeerID())); err != nil {
		t.Fatal(err)
	}
	h.refused(check.Revoked, stranger)
}

func TestAuthorize_UnionOfGrants(t *testing.T) {
	h := paired(t, "")
	guest := newPeer(t)
	door := h.until(access.Scope{Rights: []access.Right{access.Live}, Cameras: []string{access.CameraOf(h.peer(), "door")}}, time.Hour)
	garden := h.until(access.Scope{Rights: []access.Right{access.PTZ}, Cameras: []string{access.CameraOf(h.peer(), "garden")}}, 2*time.Hour)
	first, second := h.grant(guest, door), h.grant(guest, garden)
	h.as(guest, first)
	p := h.as(guest, second) // the first is remembered
	if !p.May(access.Live, "door") || !p.May(access.PTZ, "garden") || p.May(access.PTZ, "door") || p.Expires.Unix() != garden.Expires {
		t.Errorf("%+v", p)
	}
	h.clock = h.clock.Add(time.Hour)
	q, err := h.Renew(p)
	if err != nil || q == p || q.May(access.Live, "door") || !q.May(access.PTZ, "garden") {
		t.Errorf("%+v %v", q, err)
	}
	h.clock = h.clock.Add(time.Hour)
	_, err = h.Renew(q)
	if refusedBy(t, check.Expiry, err); !errors.Is(err, access.ErrExpired) {
		t.Errorf("got %v", err)
	}
	// One without end prevails.
	if p := h.as(guest, h.grant(guest, live()), first); !p.Expires.IsZero() {
		t.Errorf("ends %v", p.Expires)
	}
}

func TestAuthorize_RefusalsNameTheirCheck(t *testing.T) {
	h := paired(t, "")
	h.put(nil)
	guest, other := newPeer(t), newPeer(t)
	good := h.grant(guest, live())
	h.refused(check.Holder, other, good)
	h.refused(check.Issuer, guest, h.grantBy(other, guest, live()))
	h.refused(check.Issuer, guest, h.grantBy(guest, guest, live()))
	h.refused(check.Revoked, guest, h.grantBy(h.publisher, guest, live())) // by no invite of the console's
	elsewhere, err := access.NewGrant(h.owner, string(other.PeerID()), access.Recipient{Peer: guest.PeerID()}, live(), h.clock)
	if err != nil {
		t.Fatal(err)
	}
	h.refused(check.Audience, guest, elsewhere)
	_, err = h.Authorize(guest.PeerID(), []string{"not a grant"})
	if !errors.Is(err, access.ErrToken) {
		t.Errorf("got %v", err)
	}
	// A bad one does no harm to a good one, however they are mixed.
	if p := h.as(guest, "not a grant", elsewhere, good, good); len(p.scopes) != 1 {
		t.Errorf("%+v", p.scopes)
	}
	many := make([]string, 0, maxShown+1)
	for range maxShown {
		many = append(many, elsewhere)
	}
	newcomer := newPeer(t)
	h.refused(check.Holder, newcomer, append(many, h.grant(newcomer, live()))...)
}

func TestAuthorize_OtherHomesGrantIsWorthNothing(t *testing.T) {
	h, other := paired(t, ""), paired(t, "")
	h.put(nil)
	other.put(nil)
	guest := newPeer(t)
	g, err := access.NewGrant(other.owner, other.lists.Home(), access.Recipient{Peer: guest.PeerID()}, live(), h.clock)
	if err != nil {
		t.Fatal(err)
	}
	other.as(guest, g)
	h.refused(check.Audience, guest, g)
}

func TestRenew_SamePointerWhileNothingChanges(t *testing.T) {
	h := paired(t, "")
	guest := newPeer(t)
	p := h.as(guest, h.grant(guest, h.until(live(), time.Hour)))
	for range 3 {
		if q, err := h.Renew(p); q != p || err != nil {
			t.Fatalf("%+v %v", q, err)
		}
		h.clock = h.clock.Add(time.Minute)
		h.put(nil) // nothing about this guest
	}
	// Renewing asks nothing of the disk or of cryptography.
	if n := testing.AllocsPerRun(100, func() { _, _ = h.Renew(p) }); n > 0 {
		t.Errorf("%v allocations for each request", n)
	}
	h.put(revoke(access.RevokedGrant, jtiOf(t, p.grants[0].Compact())))
	_, err := h.Renew(p)
	refusedBy(t, check.Revoked, err)
}

func TestRenew_SeesWhatAListedPeerIs(t *testing.T) {
	h := paired(t, "")
	listed, name := newPeer(t), "Grandma"
	h.Trust.options.Listed = func(identity.PeerID) (string, bool) { return name, name != "" }
	p := h.as(listed)
	if q, err := h.Renew(p); q != p || err != nil {
		t.Errorf("%+v %v", q, err)
	}
	name = "Grandpa"
	if q, err := h.Renew(p); err != nil || q.Name != name {
		t.Errorf("%+v %v", q, err)
	}
	name = ""
	_, err := h.Renew(p)
	refusedBy(t, check.Allowed, err)
}

func TestRenew_MoreRightsAreAnotherPrincipal(t *testing.T) {
	h := paired(t, "")
	guest := newPeer(t)
	p := h.as(guest, h.grant(guest, live()))
	h.put(addOwner(guest))
	q, err := h.Renew(p)
	if err != nil || q == p || !q.Owner() || q.Name != "Other" || q.Device != "tablet" {
		t.Errorf("%+v %v", q, err)
	}
	h.put(removeOwner(guest))
	_, err = h.Renew(q)
	refusedBy(t, check.Revoked, err)
}

func TestRevocation_IsInForceAtOnce(t *testing.T) {
	for name, takeAway := range map[string]func(h *home, guest *identity.Identity, jti string){
		"peer by an owner": func(h *home, guest *identity.Identity, _ string) {
			h.put(revoke(access.RevokedPeer, string(guest.PeerID())))
		},
		"grant by an owner": func(h *home, _ *identity.Identity, jti string) { h.put(revoke(access.RevokedGrant, jti)) },
		"peer at the console": func(h *home, guest *identity.Identity, _ string) {
			if _, err := h.RevokeHere(guest.PeerID().Grouped()); err != nil {
				t.Fatal(err)
			}
		},
		"grant at the console": func(h *home, _ *identity.Identity, jti string) {
			if _, err := h.RevokeHere(jti); err != nil {
				t.Fatal(err)
			}
		},
		"name at the console": func(h *home, _ *identity.Identity, _ string) {
			if _, err := h.RevokeHere(" guest"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		h := paired(t, t.TempDir())
		guest := newPeer(t)
		g := h.grant(guest, live())
		p := h.as(guest, g)
		h.changed()
		takeAway(h, guest, jtiOf(t, g))
		if !h.changed() {
			t.Errorf("%s: nobody was told", name)
		}
		for range 2 {
			_, err := h.Renew(p)
			refusedBy(t, check.Revoked, err)
			h.refused(check.Revoked, guest, g)
			h.refused(check.Revoked, guest)
			if s := h.State(); h.Known(guest.PeerID()) || len(s.Grants) != 1 || !s.Grants[0].Revoked {
				t.Errorf("%s: %+v", name, s.Grants)
			}
			h.restart()
		}
		h.as(h.owner)
	}
}

func TestRemember_LastSeen(t *testing.T) {
	h := paired(t, t.TempDir())
	guest := newPeer(t)
	g := h.grant(guest, live())
	seen := func() string { return h.State().Grants[0].LastSeen }
	h.as(guest, g)
	if got := seen(); got != "2026-11-21T12:00:00Z" {
		t.Errorf("seen %q", got)
	}
	h.clock = h.clock.Add(59 * time.Minute)
	h.as(guest)
	if got := seen(); got != "2026-11-21T12:59:00Z" {
		t.Errorf("seen %q", got)
	}
	h.restart() // not worth a write each time
	if got := seen(); got != "2026-11-21T12:00:00Z" {
		t.Errorf("seen %q", got)
	}
	h.clock = h.clock.Add(time.Minute)
	h.as(guest)
	h.restart()
	if got := seen(); got != "2026-11-21T13:00:00Z" {
		t.Errorf("seen %q", got)
	}
}

func TestTrust_SaysNoSecrets(t *testing.T) {
	h := paired(t, "")
	jti, secret := h.invite(h.owner, access.InviteRequest{})
	p, err := h.StartPairing(true)
	if err != nil {
		t.Fatal(err)
	}
	for range maxWrongTries {
		_, err = h.claimPairing(h.owner, access.NewToken())
	}
	_, err2 := h.claimInvite(h.owner, jti, secret)
	text := h.logged.String() + err.Error() + err2.Error()
	for _, s := range []string{secret, p.Secret} {
		if bytes.Contains([]byte(text), []byte(s)) {
			t.Errorf("it is said: %s", text)
		}
	}
}
