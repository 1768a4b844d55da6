//go:build weakened

package trust

import (
	"testing"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
)

// With its check switched off each attack succeeds: it is a real one.
func TestWeakened_EachCheckIsTheOneThatRefuses(t *testing.T) {
	for c, attack := range map[check.Name]func(h *home) error{
		check.Allowed: func(h *home) error {
			p, err := h.Authorize(newPeer(t).PeerID(), nil)
			if err == nil && !p.May(access.Live, "door") {
				err = ErrRight
			}
			return err
		},
		check.Revoked: func(h *home) error {
			guest := newPeer(t)
			g := h.grant(guest, live())
			h.put(revoke(access.RevokedPeer, string(guest.PeerID())))
			_, err := h.Authorize(guest.PeerID(), []string{g})
			return err
		},
		check.Right: func(h *home) error {
			guest := newPeer(t)
			return h.PutList(h.as(guest, h.grant(guest, live())), h.sign(h.owner, nil))
		},
		check.ListSigner: func(h *home) error {
			stranger := newPeer(t)
			if err := h.PutList(h.as(h.owner), h.sign(stranger, addOwner(stranger))); err != nil {
				return err
			}
			_, err := h.Authorize(stranger.PeerID(), nil)
			return err
		},
		check.ListVersion: func(h *home) error {
			guest := newPeer(t)
			g, first := h.grant(guest, live()), h.sign(h.owner, nil)
			if err := h.PutList(h.as(h.owner), first); err != nil {
				t.Fatal(err)
			}
			h.learn(first)
			h.put(revoke(access.RevokedPeer, string(guest.PeerID())))
			if err := h.PutList(h.as(h.owner), first); err != nil {
				return err
			}
			_, err := h.Authorize(guest.PeerID(), []string{g})
			return err
		},
		check.Proof: func(h *home) error {
			jti, _ := h.invite(h.owner, access.InviteRequest{})
			_, err := h.Claim(ClaimRequest{Kind: access.ClaimInvite, Invite: jti, Viewer: newPeer(t).PeerID()})
			return err
		},
		check.Once: func(h *home) error {
			jti, secret := h.invite(h.owner, access.InviteRequest{})
			if _, err := h.claimInvite(newPeer(t), jti, secret); err != nil {
				t.Fatal(err)
			}
			_, err := h.claimInvite(newPeer(t), jti, secret)
			return err
		},
		check.Lock: func(h *home) error {
			jti, secret := h.invite(h.owner, access.InviteRequest{})
			guesser := newPeer(t)
			for range maxWrongTries {
				_, _ = h.claimInvite(guesser, jti, access.NewToken())
			}
			_, err := h.claimInvite(guesser, jti, secret)
			return err
		},
	} {
		refusedBy(t, c, attack(paired(t, "")))
		t.Setenv(check.Variable, string(c))
		if err := attack(paired(t, "")); err != nil {
			t.Errorf("%s is off, and yet: %v", c, err)
		}
		t.Setenv(check.Variable, "")
	}
}
