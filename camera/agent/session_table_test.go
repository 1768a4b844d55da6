package agent

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/signaling"
)

func TestSessionTable_OldestSessionOfAViewerMakesRoom(t *testing.T) {
	tab := newSessionTable(10, 2)
	start := time.Now()
	var all []*session
	for i := range 3 {
		s := &session{key: sessionKey{"viewer", signaling.NewToken(signaling.SessionSize)}, via: viaSignaling, media: newFakeSession()}
		s.started = start.Add(time.Duration(i) * time.Second)
		all = append(all, s)
		if err := tab.reserve(s.place); err != nil {
			t.Fatal(err)
		}
		oldest, ok := tab.add(s)
		if !ok || (i < 2) != (len(oldest) == 0) {
			t.Fatalf("session %d: %v %v", i, oldest, ok)
		}
		if i == 2 && oldest[0] != all[0] {
			t.Fatal("not the oldest")
		}
	}
	tab.remove(all[0])
	tab.remove(all[0]) // once is enough
	tab.remove(all[1])
	tab.remove(all[2])
	tab.wait()
}

func TestSessionTable_ReservedPlacesCount(t *testing.T) {
	tab := newSessionTable(1, 1)
	if tab.reserve(placeOfKnown) != nil || tab.reserve(placeOfKnown) == nil {
		t.Fatal("the limit does not hold while answering")
	}
	tab.cancel(placeOfKnown)
	if tab.reserve(placeOfKnown) != nil {
		t.Fatal("the place was not given back")
	}
	tab.close()
	if _, ok := tab.add(&session{key: sessionKey{"v", "1"}, via: viaSignaling, media: newFakeSession()}); ok {
		t.Fatal("a closed table takes sessions")
	}
	if tab.reserve(placeOfKnown) == nil {
		t.Fatal("a closed table has places")
	}
}

func TestSessionTable_SameKeyTwiceIsRefused(t *testing.T) {
	tab := newSessionTable(4, 4)
	s := &session{key: sessionKey{"v", "1"}, via: viaSignaling, media: newFakeSession()}
	for range 2 {
		if err := tab.reserve(placeOfKnown); err != nil {
			t.Fatal(err)
		}
	}
	tab.add(s)
	if _, ok := tab.add(&session{key: s.key, via: viaSignaling, media: s.media}); ok {
		t.Fatal("a second session took the key")
	}
	tab.remove(s)
	tab.wait()
}

func TestSessionTable_NewcomersLeavePlacesToThoseWhoAreKnown(t *testing.T) {
	tab := newSessionTable(16, 8)
	n := 0
	var err error
	for ; err == nil; n++ {
		err = tab.reserve(placeOfNewcomer)
	}
	if name, _ := check.Of(err); n-1 != 14 || name != check.Sessions || !errors.Is(err, peer.ErrBusy) {
		t.Fatalf("%d places, then %v", n-1, err)
	}
	for range 2 {
		if err := tab.reserve(placeOfKnown); err != nil {
			t.Fatal("no place is left for somebody known:", err)
		}
	}
	if tab.reserve(placeOfKnown) == nil {
		t.Fatal("more places than there are")
	}
}

func TestSessionTable_ClaimsTakeNobodysPlace(t *testing.T) {
	tab := newSessionTable(1, 8)
	for range maxClaims {
		if err := tab.reserve(placeOfClaim); err != nil {
			t.Fatal(err)
		}
	}
	if name, _ := check.Of(tab.reserve(placeOfClaim)); name != check.Sessions {
		t.Fatalf("refused by %q", name)
	}
	if err := tab.reserve(placeOfKnown); err != nil {
		t.Fatal(err)
	}
}

func TestSessionTable_AClaimThatHadItsTimeMakesRoom(t *testing.T) {
	tab := newSessionTable(10, 8)
	now := time.Now()
	for i, age := range []time.Duration{claimConnect / 2, 3 * claimConnect, 2 * claimConnect} {
		s := &session{key: sessionKey{id: signaling.Token(fmt.Sprint(i))}, place: placeOfClaim, started: now.Add(-age)}
		if err := tab.reserve(s.place); err != nil {
			t.Fatal(err)
		}
		if _, ok := tab.add(s); !ok {
			t.Fatal("no place")
		}
	}
	if old := tab.overstayed(placeOfClaim, now); old == nil || old.key.id != "1" {
		t.Errorf("%+v is to make room; the oldest should", old)
	}
	if old := tab.overstayed(placeOfClaim, now.Add(-3*claimConnect)); old != nil {
		t.Errorf("%+v is to make room, and had no time yet", old)
	}
	if old := tab.overstayed(placeOfKnown, now); old != nil {
		t.Errorf("%+v is to make room for a viewer", old)
	}
}

func TestSessionTable_AHolderHasMorePlayersThanSessions(t *testing.T) {
	tab := newSessionTable(100, 2)
	evicted := 0
	for range 10 {
		s := &session{key: sessionKey{id: signaling.NewToken(signaling.SessionSize)}, via: viaWHEP, place: placeOfNewcomer, media: newFakeSession()}
		s.principal.Store(&trust.Principal{Peer: "holder"})
		if err := tab.reserve(s.place); err != nil {
			t.Fatal(err)
		}
		oldest, _ := tab.add(s)
		evicted += len(oldest)
		for _, old := range oldest {
			tab.remove(old)
		}
	}
	if evicted != 2 {
		t.Errorf("%d players made room, want 2", evicted)
	}
}
