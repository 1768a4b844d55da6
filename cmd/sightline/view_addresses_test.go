package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/addressbook"
	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/viewer"
)

func TestRecall_AddsWhatIsKnownAndNoMore(t *testing.T) {
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), addressFile)
	var said strings.Builder
	p := &cli.Process{Name: "sightline", Stderr: &said}
	book, err := openAddresses(path, p)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	known := addressbook.Entry{
		Peer: id.PeerID(), Signal: []string{"wss://signal.example"}, Direct: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.5:40000")},
		Fingerprint: "sha-256 AA", Secret: "c2VjcmV0", Expires: now.Add(time.Hour), Seen: now,
	}
	if err := book.Put(known); err != nil {
		t.Fatal(err)
	}
	o := viewer.Options{Peer: id.PeerID()}
	recall(book, &o, now)
	if o.SignalURL != "wss://signal.example" || o.Ticket == nil || string(o.Ticket.Secret) != "secret" || o.Ticket.Addresses[0] != known.Direct[0] {
		t.Errorf("recalled %+v", o)
	}
	o = viewer.Options{Peer: id.PeerID(), SignalURL: "wss://other.example"}
	recall(book, &o, now.Add(2*time.Hour))
	if o.SignalURL != "wss://other.example" || o.Ticket != nil {
		t.Errorf("when the ticket has expired: %+v", o)
	}
	// A damaged book is said and not in the way.
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	book, err = openAddresses(path, p)
	if err != nil || !strings.Contains(said.String(), "kept as") {
		t.Fatalf("%v, said %q", err, said.String())
	}
	o = viewer.Options{Peer: id.PeerID()}
	if recall(book, &o, now); o.SignalURL != "" || o.Ticket != nil {
		t.Errorf("from nowhere: %+v", o)
	}
}
