package viewer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/signaling"
)

func newPeerID(t testing.TB) PeerID {
	t.Helper()
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id.PeerID()
}

func TestGrantFile_KeepsTheNewestOfEachPublisher(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grants.json")
	f, err := OpenGrantFile(path)
	if err != nil {
		t.Fatal(err)
	}
	front, back := newPeerID(t), newPeerID(t)
	for i := range signaling.MaxGrants + 2 {
		if err := f.Keep(front, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Keep(back, "b"); err != nil {
		t.Fatal(err)
	}
	again, err := OpenGrantFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"2", "3", "4", "5"}, again.Grants(front)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"b"}, again.Grants(back)); d != "" {
		t.Error(d)
	}
	if g := again.Grants(newPeerID(t)); g != nil {
		t.Errorf("a stranger has %v", g)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for range maxGrantPeers {
		if err := f.Keep(newPeerID(t), "x"); err != nil {
			t.Fatal(err)
		}
	}
	if f.Grants(front) != nil || len(f.content.Grants) != maxGrantPeers {
		t.Errorf("%d publishers are kept", len(f.content.Grants))
	}
}

func TestGrantFile_WhatItHasFitsIntoAnOffer(t *testing.T) {
	f, err := OpenGrantFile(filepath.Join(t.TempDir(), "grants.json"))
	if err != nil {
		t.Fatal(err)
	}
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	peer := id.PeerID()
	scope := access.Scope{Rights: []access.Right{access.Live}, Cameras: []string{access.AnyCamera}}
	for range 40 {
		scope.Cameras = append(scope.Cameras, access.CamerasOf(newPeerID(t)))
	}
	grant := func(expires int64) string {
		s := scope
		s.Expires = expires
		g, err := access.NewGrant(id, string(peer), access.Recipient{Peer: peer}, s, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	good, over, newest := grant(0), grant(1), grant(0)
	for _, g := range []string{good, over, good, newest} {
		if err := f.Keep(peer, g); err != nil {
			t.Fatal(err)
		}
	}
	if len(good)+len(newest) > signaling.MaxGrantsTotal {
		good = "" // there is no room for it
	}
	got := f.Grants(peer)
	total := 0
	for _, g := range got {
		total += len(g)
	}
	if total > signaling.MaxGrantsTotal || slices.Contains(got, over) || got[len(got)-1] != newest || good != "" && !slices.Contains(got, good) {
		t.Errorf("%d grants of %d bytes", len(got), total)
	}
	for range signaling.MaxGrants {
		if err := f.Keep(peer, grant(0)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := signaling.NewViewerSession(id, newPeerID(t), id.AgreementKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Offer(time.Now(), signaling.Request{SDP: "v=0", Grants: f.Grants(peer)}); err != nil {
		t.Error("what is kept makes no offer:", err)
	}
	if err := f.Keep(peer, strings.Repeat("a", signaling.MaxGrantsTotal+1)); err == nil {
		t.Error("a grant that no offer carries is kept")
	}
}

func TestGrantFile_ADamagedOneIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grants.json")
	for _, text := range []string{"", "{", `{"grants":[{"peer":"x","grants":[]}]}`, `{"other":1}`, strings.Repeat(" ", maxGrantFile+1)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenGrantFile(path); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%.40q: %v", text, err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, []byte(text)) {
			t.Errorf("%.40q was changed", text)
		}
	}
}

func FuzzParseGrantFile(f *testing.F) {
	f.Add([]byte(`{"grants":[{"peer":"` + string(newPeerID(f)) + `","grants":["a.b.c"]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseGrantFile(data)
		if err != nil && c.Grants != nil {
			t.Error("a damaged file has grants")
		}
	})
}
