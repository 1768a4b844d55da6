package access

import (
	"fmt"
	"testing"
)

func BenchmarkParseGrant(b *testing.B) {
	p := newPeople(b)
	grant, _, _ := samples(b, p)
	for b.Loop() {
		if _, err := ParseGrant(grant); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuthority_Check(b *testing.B) {
	p := newPeople(b)
	grant, _, _ := samples(b, p)
	g, a := readGrant(b, grant), p.at(p.camera)
	for b.Loop() {
		if err := a.Check(g, p.guest.PeerID(), noon); err != nil {
			b.Fatal(err)
		}
	}
}

// The most that owners can make a device look at.
func BenchmarkListState_AcceptAmongManyFullLists(b *testing.B) {
	w := newWorld(1)
	first := w.lists[0]
	s, err := NewListState(first.signer).accept(first)
	if err != nil {
		b.Fatal(err)
	}
	full := func(name string) *List {
		l := &List{Home: first.Home, Version: 2, Previous: first.hash, hash: name, signer: w.peers[1], Owners: first.Owners}
		for i := range MaxRevoked {
			l.Revoked = append(l.Revoked, Revocation{Kind: RevokedGrant, ID: fmt.Sprint(name, i)})
		}
		l.index()
		return l
	}
	for i := range maxLists - 1 {
		if s, err = s.accept(full(fmt.Sprint("list-", i))); err != nil {
			b.Fatal(err)
		}
	}
	last := full("the last")
	for b.Loop() {
		if _, err := s.accept(last); err != nil {
			b.Fatal(err)
		}
	}
}

// The same in one long line, of which some must be left out for every new list.
func BenchmarkListState_AcceptInALongDispute(b *testing.B) {
	w := newWorld(1)
	last := w.lists[0]
	s, err := NewListState(last.signer).accept(last)
	if err != nil {
		b.Fatal(err)
	}
	next := func(v int) *List {
		l := &List{
			Home: last.Home, Version: last.Version + 1, Previous: last.hash, hash: fmt.Sprint("list-", v),
			signer: w.peers[1], Owners: w.lists[0].Owners[1:],
		}
		for i := range MaxRevoked {
			l.Revoked = append(l.Revoked, Revocation{Kind: RevokedGrant, ID: fmt.Sprint(v, i)})
		}
		l.index()
		return l
	}
	for v := range maxLists {
		last = next(v)
		if s, err = s.accept(last); err != nil {
			b.Fatal(err)
		}
	}
	more := next(maxLists)
	for b.Loop() {
		if _, err := s.accept(more); err != nil {
			b.Fatal(err)
		}
	}
}
