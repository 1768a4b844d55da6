//go:build linux

package netns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

const (
	// patience is for what comes; a busy machine may need some of it.
	patience = 30 * time.Second
	// silence is how long nothing must come.
	silence = time.Second
)

// What coturn's tool says of the two behaviours, in its words.
const (
	independent    = "Endpoint Independent"
	byAddress      = "Address Dependent"
	byPort         = "Address and Port Dependent"
	nothingArrives = "" // there is no answer to judge by
)

// A program that is not ours finds each router to be what its name says.
func TestKind_IsWhatATestOfRFC5780Finds(t *testing.T) {
	Need(t, "turnutils_natdiscovery")
	kinds := []struct {
		kind               Kind
		mapping, filtering string
	}{
		{Open, independent, independent},
		{FullCone, independent, independent},
		{AddressRestricted, independent, byAddress},
		{PortRestricted, independent, byPort},
		{Symmetric, byPort, byPort},
		{CGNAT, independent, byPort},
		{Blocked, nothingArrives, nothingArrives},
	}
	l := New(t)
	l.Coturn(t, CoturnOptions{})
	for _, k := range kinds {
		for _, hairpin := range []bool{false, true} {
			_, host := l.Site(t, SiteOptions{Kind: k.kind, Hairpin: hairpin})
			t.Run(fmt.Sprintf("%s hairpin=%t", k.kind, hairpin), func(t *testing.T) {
				t.Parallel()
				if got := discover(t, host, "-m", "Mapping"); got != k.mapping {
					t.Errorf("mapping is %q, want %q", got, k.mapping)
				}
				if got := discover(t, host, "-f", "Filtering"); got != k.filtering {
					t.Errorf("filtering is %q, want %q", got, k.filtering)
				}
			})
		}
	}
}

// discover asks coturn's tool for one behaviour.
func discover(t *testing.T, h *Host, flag, behaviour string) string {
	t.Helper()
	out, err := h.Command(t.Context(), "turnutils_natdiscovery", flag, ServerAddress).CombinedOutput()
	if err != nil {
		t.Fatalf("turnutils_natdiscovery: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(line, "NAT with "); ok {
			return strings.TrimSuffix(strings.TrimSpace(rest), " "+behaviour+"!")
		}
	}
	return nothingArrives
}

// Two hosts of one site reach each other by the public addresses that a STUN
// server has told them, if the router has hairpin, and see those addresses.
func TestHairpin(t *testing.T) {
	l := New(t)
	l.Coturn(t, CoturnOptions{})
	for _, k := range []struct {
		kind    Kind
		reaches bool // with hairpin
	}{{FullCone, true}, {AddressRestricted, true}, {PortRestricted, true}, {Symmetric, false}, {CGNAT, true}, {Blocked, false}} {
		for _, hairpin := range []bool{false, true} {
			site, a := l.Site(t, SiteOptions{Kind: k.kind, Hairpin: hairpin})
			b := a
			if k.kind == CGNAT { // a neighbour
				_, b = l.Site(t, SiteOptions{Kind: CGNAT, Carrier: site})
			} else {
				b = site.Host(t)
			}
			t.Run(fmt.Sprintf("%s hairpin=%t", k.kind, hairpin), func(t *testing.T) {
				t.Parallel()
				want := hairpin && k.reaches
				if got := reach(t, a, b, k.kind != Blocked, want); got != want {
					t.Errorf("they reach each other: %t, want %t", got, want)
				}
			})
		}
	}
}

// reach reports whether two hosts reach each other by their public addresses. If they
// should, it gives them time to; online says that they get out at all.
func reach(t *testing.T, a, b *Host, online, should bool) bool {
	t.Helper()
	ca, mappedA := ask(t, a, online)
	cb, mappedB := ask(t, b, online)
	if !mappedA.IsValid() || !mappedB.IsValid() {
		return false
	}
	heardA, heardB := false, false
	for deadline := time.Now().Add(waitFor(should)); time.Now().Before(deadline) && (!heardA || !heardB); {
		// The first from either side may be stopped by the other's filter.
		write(t, ca, "from a", mappedB)
		write(t, cb, "from b", mappedA)
		heardA = heardA || hearsWithin(t, ca, "from b", mappedB, silence/4)
		heardB = heardB || hearsWithin(t, cb, "from a", mappedA, silence/4)
	}
	return heardA && heardB
}

// waitFor is how long to wait for something that should come, or not.
func waitFor(should bool) time.Duration {
	if should {
		return patience
	}
	return silence
}

// bind opens a socket and asks a STUN server for its public address.
func bind(t *testing.T, h *Host) (net.PacketConn, netip.AddrPort) {
	t.Helper()
	return ask(t, h, true)
}

// ask is bind where there may be no answer: then the address is the zero value.
func ask(t *testing.T, h *Host, should bool) (net.PacketConn, netip.AddrPort) {
	t.Helper()
	c, err := h.ListenPacket(t.Context(), ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	request := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	for deadline := time.Now().Add(waitFor(should)); time.Now().Before(deadline); {
		write(t, c, string(request.Raw), netip.MustParseAddrPort(ServerAddress+":3478"))
		data, _ := receive(t, c, silence)
		response := &stun.Message{Raw: data}
		var mapped stun.XORMappedAddress
		if response.Decode() == nil && mapped.GetFrom(response) == nil {
			ip, _ := netip.AddrFromSlice(mapped.IP)
			return c, netip.AddrPortFrom(ip.Unmap(), uint16(mapped.Port))
		}
	}
	return c, netip.AddrPort{}
}

func write(t *testing.T, c net.PacketConn, text string, to netip.AddrPort) {
	t.Helper()
	if _, err := c.WriteTo([]byte(text), net.UDPAddrFromAddrPort(to)); err != nil {
		t.Fatal(err)
	}
}

// hears reports whether a text arrives from an address. If it should, it has time to.
func hears(t *testing.T, c net.PacketConn, text string, from netip.AddrPort, should bool) bool {
	t.Helper()
	return hearsWithin(t, c, text, from, waitFor(should))
}

func hearsWithin(t *testing.T, c net.PacketConn, text string, from netip.AddrPort, wait time.Duration) bool {
	t.Helper()
	for {
		data, source := receive(t, c, wait)
		switch {
		case data == nil:
			return false
		case string(data) == text && source == from:
			return true
		}
		t.Logf("%q from %s", data, source)
	}
}

// receive returns a packet, nil if none comes in time.
func receive(t *testing.T, c net.PacketConn, timeout time.Duration) ([]byte, netip.AddrPort) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 1500)
	n, source, err := c.ReadFrom(data)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, netip.AddrPort{}
	} else if err != nil {
		t.Fatal(err)
	}
	from := source.(*net.UDPAddr).AddrPort()
	return data[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}
