package addressbook

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/identity"
)

var sameAddress = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }) //nolint:gochecknoglobals // constant

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // constant

func newPeer(t testing.TB) identity.PeerID {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id.PeerID()
}

func entry(t testing.TB) Entry {
	return Entry{
		Peer: newPeer(t), Signal: []string{"wss://signal.example"},
		Direct:      []netip.AddrPort{netip.MustParseAddrPort("192.168.1.5:40000"), netip.MustParseAddrPort("[2001:db8::5]:40000")},
		Fingerprint: "sha-256 AA:BB", Secret: "s3cret", Expires: noon.Add(time.Hour), Seen: noon,
	}
}

func mustOpen(t *testing.T, path string) *Book {
	t.Helper()
	b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustPut(t *testing.T, b *Book, e Entry) {
	t.Helper()
	if err := b.Put(e); err != nil {
		t.Fatal(err)
	}
}

func TestBook_IsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "addresses.json")
	want := entry(t)
	b := mustOpen(t, path)
	mustPut(t, b, entry(t))
	mustPut(t, b, Entry{Peer: want.Peer, Seen: noon.Add(-time.Hour)})
	mustPut(t, b, want)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	b = mustOpen(t, path)
	got, ok := b.Get(want.Peer, noon)
	if !ok {
		t.Fatal("it is not there")
	}
	if diff := cmp.Diff(want, got, sameAddress); diff != "" {
		t.Error(diff)
	}
	got, _ = b.Get(want.Peer, noon.Add(time.Hour))
	if got.Secret != "" || len(got.Direct) != 2 {
		t.Errorf("when the secret has expired: %+v", got)
	}
	if _, ok := b.Get(newPeer(t), noon); ok {
		t.Error("a stranger is there")
	}
	if err := b.Remove(want.Peer); err != nil {
		t.Fatal(err)
	}
	if _, ok := mustOpen(t, path).Get(want.Peer, noon); ok {
		t.Error("it was not forgotten")
	}
}

func TestBook_AnotherProcessAddsToItToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "addresses.json")
	mine, others := mustOpen(t, path), mustOpen(t, path)
	a, b := entry(t), entry(t)
	mustPut(t, mine, a)
	mustPut(t, others, b)
	last := mustOpen(t, path)
	for _, e := range []Entry{a, b} {
		if _, ok := last.Get(e.Peer, noon); !ok {
			t.Error("one is lost")
		}
	}
}

func TestBook_IsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "addresses.json")
	b := mustOpen(t, path)
	var peers []identity.PeerID
	for i := range maxPeers + 3 {
		e := entry(t)
		e.Seen = noon.Add(time.Duration(i) * time.Minute)
		for j := range 2 * maxAddresses {
			e.Direct = append(e.Direct, netip.AddrPortFrom(e.Direct[0].Addr(), uint16(j+1)))
			e.Signal = append(e.Signal, fmt.Sprintf("wss://%d.example", j))
		}
		peers = append(peers, e.Peer)
		mustPut(t, b, e)
	}
	b = mustOpen(t, path)
	for i, p := range peers {
		got, ok := b.Get(p, noon)
		if ok != (i >= 3) || len(got.Direct) > maxAddresses || len(got.Signal) > maxAddresses {
			t.Errorf("%d: %v, %d and %d addresses", i, ok, len(got.Direct), len(got.Signal))
		}
	}
}

func TestBook_ADamagedOneIsPutAside(t *testing.T) {
	good := entry(t)
	path := filepath.Join(t.TempDir(), "addresses.json")
	mustPut(t, mustOpen(t, path), good)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":       "",
		"half":        string(data[:len(data)/2]),
		"version":     strings.Replace(string(data), `"version": 1`, `"version": 2`, 1),
		"unknown":     strings.Replace(string(data), `"ticket"`, `"tocket"`, 1),
		"peer":        strings.Replace(string(data), string(good.Peer), "x", 1),
		"address":     strings.Replace(string(data), "192.168.1.5:40000", "192.168.1.5:0", 1),
		"long":        strings.Replace(string(data), "s3cret", strings.Repeat("x", maxText+1), 1),
		"very long":   strings.Repeat(" ", maxFile+1),
		"other bytes": "\xff\xfe",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "addresses.json")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			b, err := Open(path)
			var damaged *DamagedError
			if !errors.As(err, &damaged) || !strings.Contains(err.Error(), "kept as "+path+asideSuffix) || strings.Contains(err.Error(), "s3cret") {
				t.Fatalf("got %v", err)
			}
			if kept, err := os.ReadFile(damaged.Aside); err != nil || string(kept) != text {
				t.Errorf("kept %.40q, %v", kept, err)
			}
			mustPut(t, b, good)
			if _, ok := mustOpen(t, path).Get(good.Peer, noon); !ok {
				t.Error("the new book is not kept")
			}
		})
	}
}

func TestBook_DamagedOnesAreKeptSideBySide(t *testing.T) {
	path := filepath.Join(t.TempDir(), "addresses.json")
	for i := range maxAside + 2 {
		text := fmt.Sprint("damaged ", i)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var damaged *DamagedError
		if _, err := Open(path); !errors.As(err, &damaged) {
			t.Fatal(err)
		}
		if kept, err := os.ReadFile(damaged.Aside); err != nil || string(kept) != text {
			t.Errorf("%d: kept %q, %v", i, kept, err)
		}
	}
	if first, err := os.ReadFile(path + asideSuffix); err != nil || string(first) != "damaged 0" {
		t.Errorf("the first: %q, %v", first, err)
	}
	if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) != maxAside {
		t.Error(len(all), "files", err)
	}
}

func TestBook_KeepsNoSecretThatHasExpired(t *testing.T) {
	path := filepath.Join(t.TempDir(), "addresses.json")
	b := mustOpen(t, path)
	old, later := entry(t), entry(t)
	old.Seen, old.Expires = noon.AddDate(-1, 0, -1), noon.AddDate(-1, 0, 0)
	later.Seen, later.Secret, later.Expires = noon.AddDate(-1, 0, 0), "newer", noon
	mustPut(t, b, old)
	if data, err := os.ReadFile(path); err != nil || !strings.Contains(string(data), "s3cret") {
		t.Error("a good one is not kept", err)
	}
	mustPut(t, b, later)
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), "s3cret") || !strings.Contains(string(data), "newer") {
		t.Errorf("%s %v", data, err)
	}
}

func TestBook_RefusesWhatItCouldNotRead(t *testing.T) {
	b := mustOpen(t, filepath.Join(t.TempDir(), "addresses.json"))
	for name, change := range map[string]func(*Entry){
		"peer":    func(e *Entry) { e.Peer = "x" },
		"address": func(e *Entry) { e.Direct = []netip.AddrPort{{}} },
		"long":    func(e *Entry) { e.Secret = strings.Repeat("x", maxText+1) },
	} {
		e := entry(t)
		change(&e)
		if err := b.Put(e); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestBook_WhatCannotBeWrittenIsNotBelieved(t *testing.T) {
	b := mustOpen(t, filepath.Join(t.TempDir(), "missing", "addresses.json"))
	e := entry(t)
	if err := b.Put(e); err == nil {
		t.Error("no error")
	}
	if _, ok := b.Get(e.Peer, noon); ok {
		t.Error("it is there, but not on disk")
	}
}

func TestEntry_ItsSecretIsInNoLog(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("dial", "entry", entry(t))
	if strings.Contains(out.String(), "s3cret") {
		t.Error(out.String())
	}
}

func FuzzParse(f *testing.F) {
	e := entry(f)
	b := &Book{path: filepath.Join(f.TempDir(), "addresses.json")}
	if err := b.Put(e); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(b.path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":1,"agents":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parse(data)
		if err != nil {
			return
		}
		if len(entries) > maxPeers {
			t.Fatalf("%d entries", len(entries))
		}
		b := mustOpen(t, filepath.Join(t.TempDir(), "addresses.json"))
		for _, e := range entries {
			mustPut(t, b, e)
		}
		if len(mustOpen(t, b.path).entries) != len(entries) {
			t.Error("not what was written")
		}
	})
}
