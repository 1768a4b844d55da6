package discovery

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const candidate = "2b7d0b0e-6f3c-4d4e-9a59-0d6a5c1f2e3d.local"

// said makes the answer of a browser.
func said(t testing.TB, name string, addresses ...string) []byte {
	t.Helper()
	n, err := dnsmessage.NewName(name + ".")
	if err != nil {
		t.Fatal(err)
	}
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}}
	for _, text := range addresses {
		a := netip.MustParseAddr(text)
		var body dnsmessage.ResourceBody = &dnsmessage.AAAAResource{AAAA: a.As16()}
		if a.Is4() {
			body = &dnsmessage.AResource{A: a.As4()}
		}
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: n, Class: dnsmessage.ClassINET | topBit, TTL: 120}, Body: body,
		})
	}
	p, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var neighbour = netip.MustParseAddrPort("192.168.1.9:5353") //nolint:gochecknoglobals // constant

func TestResolve_OneQuestionForManyCallsAndTheAnswerIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		l, w := n.lan(t, "192.168.1.7")
		var wg sync.WaitGroup
		resolve := func() {
			got, err := l.Resolve(within(t, 5*time.Second), candidate)
			if err != nil || got.String() != "192.168.1.9" {
				t.Errorf("got %v, %v", got, err)
			}
		}
		for range 10 {
			wg.Go(resolve)
		}
		wait(1500 * time.Millisecond)
		if got := len(n.packets()); got != 2 {
			t.Errorf("asked %d times in 1.5 s", got)
		}
		w.deliver(said(t, candidate, "192.168.1.9"), neighbour)
		wg.Wait()
		resolve()
		if got := len(n.packets()); got != 2 {
			t.Errorf("asked %d times", got)
		}
		wait(keptFor)
		if _, err := l.Resolve(within(t, time.Second), candidate); !errors.Is(err, ErrNotFound) {
			t.Errorf("still known: %v", err)
		}
	})
}

func TestResolve_OnlyNeighboursAndOnlyAddressesOfThisSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		l, w := n.lan(t, "192.168.1.7")
		try := func(from string, addresses ...string) string {
			name := fmt.Sprintf("%08x%s", len(n.packets()), candidate[8:])
			var got netip.Addr
			stop := background(t, func(ctx context.Context) { got, _ = l.Resolve(ctx, name) })
			synctest.Wait()
			w.deliver(said(t, name, addresses...), netip.MustParseAddrPort(from))
			synctest.Wait()
			stop()
			return got.String()
		}
		const none = "invalid IP"
		for _, tt := range []struct{ from, said, want string }{
			{"192.168.1.9:5353", "192.168.1.9", "192.168.1.9"},
			{"169.254.3.4:5353", "169.254.3.4", "169.254.3.4"},
			{"192.168.1.9:5353", "10.9.8.7", "10.9.8.7"}, // passed on by a router
			{"192.168.1.9:5353", "fd00::1", "fd00::1"},
			{"192.168.1.9:5353", "fe80::1", "fe80::1%1"},
			{"192.168.1.9:5353", "::ffff:192.168.1.9", "192.168.1.9"},
			{"203.0.113.9:5353", "192.168.1.9", none}, // not a neighbour
			{"192.168.1.9:5354", "192.168.1.9", none}, // not a responder
			{"192.168.1.9:5353", "203.0.113.9", none},
			{"192.168.1.9:5353", "2001:db8::1", none},
			{"192.168.1.9:5353", "127.0.0.1", none},
			{"192.168.1.9:5353", "::1", none},
			{"192.168.1.9:5353", "0.0.0.0", none},
			{"192.168.1.9:5353", "224.0.0.1", none},
			{"192.168.1.9:5353", "255.255.255.255", none},
		} {
			if got := try(tt.from, tt.said); got != tt.want {
				t.Errorf("%s said %s: got %s, want %s", tt.from, tt.said, got, tt.want)
			}
		}
		if got := try("192.168.1.9:5353", "203.0.113.9", "192.168.1.10"); got != "192.168.1.10" {
			t.Errorf("of two: %s", got)
		}
	})
}

func TestResolve_AsksForNothingButCandidates(t *testing.T) {
	l := New(Options{})
	for _, name := range []string{
		"", "local", ".local", "printer.local", "example.com", candidate[:36], candidate + ".example", "x" + candidate,
		"2b7d0b0e-6f3c-4d4e-9a59-0d6a5c1f2e3g.local", "2b7d0b0e06f3c-4d4e-9a59-0d6a5c1f2e3d.local", "2b7d0b0e-6f3c-4d4e-9a59-0d6a5c1f2e3d\x00.local",
	} {
		if _, err := l.Resolve(t.Context(), name); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{candidate, candidate + ".", "2B7D0B0E-6F3C-4D4E-9A59-0D6A5C1F2E3D.LOCAL"} {
		if got, ok := candidateName(name); !ok || got != candidate+"." {
			t.Errorf("%q: %q %v", name, got, ok)
		}
	}
}

func TestResolve_IsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		l, w := n.lan(t, "192.168.1.7")
		name := func(i int) string { return fmt.Sprintf("%08x%s", i, candidate[8:]) }
		for i := range maxPending {
			background(t, func(ctx context.Context) { _, _ = l.Resolve(ctx, name(i)) })
		}
		synctest.Wait()
		if _, err := l.Resolve(t.Context(), name(maxPending)); !errors.Is(err, ErrBusy) {
			t.Errorf("got %v", err)
		}
		for i := range maxPending {
			w.deliver(said(t, name(i), "192.168.1.9"), neighbour)
		}
		synctest.Wait()
		var all names
		for i := range 2 * maxKnown {
			all.keep(name(i), knownName{expires: time.Now().Add(time.Duration(i) * time.Second)})
		}
		if _, ok := all.get(time.Now(), name(2*maxKnown-1)); !ok || len(all.known) != maxKnown {
			t.Errorf("%d are kept, the last: %v", len(all.known), ok)
		}
	})
}

// Chromium answers nobody for a second after it has announced a name.
func TestResolve_AnAnnouncementIsHeardBeforeTheQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		l, w := n.lan(t, "192.168.1.7")
		advertise(t, l, Service{Peer: newPeer(t)})
		wait(time.Minute)
		before := len(n.packets())
		w.deliver(said(t, candidate, "192.168.1.9"), neighbour)
		synctest.Wait()
		got, err := l.Resolve(within(t, time.Second), candidate)
		if err != nil || got.String() != "192.168.1.9" || len(n.packets()) != before {
			t.Errorf("got %v, %v; asked %d times", got, err, len(n.packets())-before)
		}
	})
}

func TestResolve_AsksAgainWhenTheNetworkComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		l, w := n.lan(t, "192.168.1.7")
		there := l.scan
		ready := time.Now().Add(2 * time.Second)
		l.scan = func() ([]attachment, error) {
			if time.Now().Before(ready) {
				return nil, nil
			}
			return there()
		}
		var got netip.Addr
		stop := background(t, func(ctx context.Context) { got, _ = l.Resolve(ctx, candidate) })
		wait(4 * time.Second)
		if len(n.packets()) == 0 {
			t.Error("nothing was asked")
		}
		w.deliver(said(t, candidate, "192.168.1.9"), neighbour)
		synctest.Wait()
		stop()
		if got.String() != "192.168.1.9" {
			t.Errorf("got %v", got)
		}
	})
}
