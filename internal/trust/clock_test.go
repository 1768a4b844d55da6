package trust

import (
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/check"
)

// wake opens the folder again on a device whose clock lost its battery.
func (h *home) wake(at time.Time) {
	h.t.Helper()
	h.clock = at
	h.restart()
}

func TestClock_In1970OwnersComeInAndExpiredGuestsDoNot(t *testing.T) {
	h := paired(t, t.TempDir())
	real := h.clock
	early, late := newPeer(t), newPeer(t)
	expired, lasting := h.grant(early, h.until(live(), time.Hour)), h.grant(late, h.until(live(), 48*time.Hour))
	h.as(early, expired)
	h.clock = h.clock.Add(24 * time.Hour)
	h.put(nil) // an owner signs: it is at least so late
	if !h.ClockBelievable() {
		t.Error("a right clock is not believed")
	}
	h.wake(time.Unix(100, 0))
	if h.ClockBelievable() {
		t.Error("1970 is believed")
	}
	if got := h.Now(); got.Unix() != real.Add(24*time.Hour).Unix() {
		t.Errorf("it is %v by what was signed", got)
	}
	h.as(h.owner)
	h.as(late, lasting)
	h.refused(check.Expiry, early, expired)
	// Pairing runs on the local clock, whatever it shows.
	p, err := h.StartPairing(true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.claimPairing(late, p.Secret); err != nil {
		t.Error(err)
	}
}

func TestClock_WhatIsShownTellsTheTime(t *testing.T) {
	h := paired(t, t.TempDir())
	real := h.clock
	guest, witness := newPeer(t), newPeer(t)
	g := h.grant(guest, h.until(live(), time.Hour))
	h.clock = real.Add(2 * time.Hour)
	newer := h.grant(witness, live())
	h.wake(time.Unix(0, 0))
	h.as(guest, g) // nothing says that it is over
	h.as(witness, newer)
	for range 2 {
		h.refused(check.Expiry, guest, g)
		h.restart()
	}
	// An invite tells it as well.
	h.clock = real.Add(5 * time.Hour)
	compact, secret := h.newInvite(h.owner, access.InviteRequest{})
	h.wake(time.Unix(0, 0))
	if err := h.AddInvite(h.as(h.owner), compact, secret); err != nil {
		t.Fatal(err)
	}
	if got := h.Now().Unix(); got != real.Add(5*time.Hour).Unix() {
		t.Errorf("it is %v", h.Now())
	}
}

func TestClock_OnlyOwnersTellTheTime(t *testing.T) {
	h := paired(t, "")
	guest, stranger := newPeer(t), newPeer(t)
	parent, _ := access.ParseGrant(h.grant(guest, passable()))
	before := h.Now()
	h.clock = h.clock.Add(1000 * time.Hour)
	future, err := access.PassOn(guest, parent, access.Recipient{Peer: stranger.PeerID()}, live(), h.clock)
	if err != nil {
		t.Fatal(err)
	}
	forger := newPeer(t)
	forged := h.grantBy(forger, forger, live())
	h.clock = before
	h.as(stranger, future)
	h.refused(check.Issuer, forger, forged)
	if got := h.Now(); !got.Equal(before) {
		t.Errorf("it is %v", got)
	}
}

func TestClock_ADayBehindIsNotBelieved(t *testing.T) {
	h := paired(t, "")
	h.clock = h.clock.Add(25 * time.Hour)
	h.put(nil)
	h.clock = h.clock.Add(-24 * time.Hour)
	if !h.ClockBelievable() {
		t.Error("a day is little")
	}
	h.clock = h.clock.Add(-time.Second)
	if h.ClockBelievable() {
		t.Error("more than a day is much")
	}
	h.clock = time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC)
	if h.ClockBelievable() {
		t.Error("2025 is believed")
	}
}

// The clock of one owner's phone is in 2099: what it signs ends nobody's access.
func TestClock_AnOwnerWhoseClockIsWrongEndsNothing(t *testing.T) {
	h := paired(t, t.TempDir())
	real, guest, visitor := h.clock, newPeer(t), newPeer(t)
	g := h.grant(guest, h.until(live(), 25*time.Hour))
	short := h.grant(visitor, h.until(live(), 24*time.Hour))
	h.as(guest, g)
	h.clock = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	list, late := h.sign(h.owner, nil), h.grant(newPeer(t), live())
	compact, secret := h.newInvite(h.owner, access.InviteRequest{})
	h.clock = real
	if err := h.PutList(h.as(h.owner), list); err != nil {
		t.Fatal(err)
	}
	if err := h.AddInvite(h.as(h.owner), compact, secret); err != nil {
		t.Fatal(err)
	}
	_, _ = h.Authorize(newPeer(t).PeerID(), []string{late})
	for range 2 {
		if got := h.Now(); got.After(real.Add(24*time.Hour)) || !h.ClockBelievable() {
			t.Errorf("it is %v", got)
		}
		h.as(guest, g)
		h.refused(check.Expiry, visitor, short) // a day is believed
		h.restart()
	}
}

func TestClock_BeforeItsTime(t *testing.T) {
	h := newHome(t, t.TempDir())
	h.wake(time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC))
	h.pair(h.owner)
	if _, err := h.RevokeHere(access.NewToken()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.ConsoleInvite(live(), "", 0); err != nil {
		t.Fatal(err)
	}
	h.restart()
	h.as(h.owner)
	if len(h.State().RevokedHere) != 1 {
		t.Error("a revocation is lost")
	}
}
