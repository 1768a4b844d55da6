package agent

import (
	"testing"
	"time"
)

func TestSessionTable_OldestSessionOfAViewerMakesRoom(t *testing.T) {
	tab := newSessionTable(10, 2)
	start := time.Now()
	var all []*session
	for i := range 3 {
		s := newSession(t, "viewer")
		s.started = start.Add(time.Duration(i) * time.Second)
		all = append(all, s)
		if !tab.reserve() {
			t.Fatal("no place")
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
	if !tab.reserve() || tab.reserve() {
		t.Fatal("the limit does not hold while answering")
	}
	tab.cancel()
	if !tab.reserve() {
		t.Fatal("the place was not given back")
	}
	tab.close()
	if _, ok := tab.add(newSession(t, "v")); ok {
		t.Fatal("a closed table takes sessions")
	}
	if tab.reserve() {
		t.Fatal("a closed table has places")
	}
}

func TestSessionTable_SameKeyTwiceIsRefused(t *testing.T) {
	tab := newSessionTable(4, 4)
	s := newSession(t, "v")
	tab.reserve()
	tab.add(s)
	tab.reserve()
	if _, ok := tab.add(&session{key: s.key, via: viaSignaling, media: s.media}); ok {
		t.Fatal("a second session took the key")
	}
	tab.remove(s)
	tab.wait()
}
