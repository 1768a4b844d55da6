package relay

import (
	"fmt"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

func TestAccount_HasABudgetADay(t *testing.T) {
	l := Limits{BytesPerDay: 1000}
	l.setDefaults()
	a := newAccounts(&l)
	now := time.Date(2026, 5, 1, 23, 59, 59, 0, time.UTC)
	acc, err := a.open(now, newAgent(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "", refusedBudget, refusedBudget} {
		reason, first := acc.spend(now, 400)
		if reason != want || first != (i == 2) {
			t.Errorf("%d: %q, %v", i, reason, first)
		}
	}
	if _, err := a.open(now, acc.agent); reasonOf(err) != refusedBudget {
		t.Error(err)
	}
	now = now.Add(time.Second)
	if reason, _ := acc.spend(now, 400); reason != "" {
		t.Error("after midnight:", reason)
	}
	if _, err := a.open(now, acc.agent); err != nil {
		t.Error("after midnight:", err)
	}
}

func TestAccounts_ShareABudgetADay(t *testing.T) {
	l := Limits{BytesPerDay: 1000, TotalBytesPerDay: 1500}
	l.setDefaults()
	a := newAccounts(&l)
	now := time.Date(2026, 5, 1, 23, 59, 59, 0, time.UTC)
	open := func() *account {
		acc, err := a.open(now, newAgent(t)) // a fresh key
		if err != nil {
			t.Fatal(err)
		}
		return acc
	}
	greedy, second, third := open(), open(), open()
	for range 10 { // no more than its own counts for all
		greedy.spend(now, 800)
	}
	for i, tt := range []struct {
		by    *account
		bytes int
		want  string
		first bool
	}{{second, 700, "", false}, {second, 100, refusedTotalBudget, true}, {third, 100, refusedTotalBudget, false}} {
		if reason, first := tt.by.spend(now, tt.bytes); reason != tt.want || first != tt.first {
			t.Errorf("%d: %q, %v", i, reason, first)
		}
	}
	if err := a.check(now, newAgent(t)); reasonOf(err) != refusedTotalBudget {
		t.Error("a fresh key:", err)
	}
	now = now.Add(time.Second)
	if reason, _ := third.spend(now, 400); reason != "" {
		t.Error("after midnight:", reason)
	}
	open()
}

func TestAccount_HasARateIfWanted(t *testing.T) {
	l := Limits{BytesPerSecond: 1 << 20}
	l.setDefaults()
	now := time.Unix(1000, 0)
	acc, err := newAccounts(&l).open(now, newAgent(t))
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for range 20_000 { // 2 s
		now = now.Add(100 * time.Microsecond)
		if reason, _ := acc.spend(now, 1200); reason == "" {
			sent += 1200
		}
	}
	if sent < 2<<20 || sent > 4<<20 {
		t.Error(sent, "bytes in 2 s at 1 MiB/s")
	}
}

func TestAccounts_AreBounded(t *testing.T) {
	l := Limits{TotalAllocations: 1 << 30}
	l.setDefaults()
	a := newAccounts(&l)
	now := time.Unix(1000, 0)
	for i := range maxAccounts {
		acc, err := a.open(now, identity.PeerID(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(i, err)
		}
		if i%2 == 0 {
			a.close(acc)
		}
	}
	if _, err := a.open(now, "one more"); err != nil {
		t.Error("idle ones make no room:", err)
	}
	if n := len(a.table); n != maxAccounts/2+1 {
		t.Error(n, "accounts")
	}
}
