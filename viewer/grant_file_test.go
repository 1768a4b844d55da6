package viewer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
