package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/netns"
	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/internal/nat/netcheck"
)

// The program, behind routers of a real kernel and with a STUN server that is not
// ours, finds each to be what it is.
func TestDoctor_FindsOutEachKindOfRouter(t *testing.T) {
	l := netns.New(t)
	l.Coturn(t, netns.CoturnOptions{})
	const independent, byAddress, byPort = nat.EndpointIndependent, nat.AddressDependent, nat.AddressPortDependent
	kinds := []struct {
		kind               netns.Kind
		mapping, filtering nat.Behaviour
		nat                netcheck.Answer
	}{
		{netns.Open, independent, independent, netcheck.No},
		{netns.FullCone, independent, independent, netcheck.Yes},
		{netns.AddressRestricted, independent, byAddress, netcheck.Yes},
		{netns.PortRestricted, independent, byPort, netcheck.Yes},
		{netns.Symmetric, byPort, byPort, netcheck.Yes},
		{netns.CGNAT, independent, byPort, netcheck.Yes},
		{netns.Blocked, nat.BehaviourUnknown, nat.BehaviourUnknown, netcheck.Undecided},
	}
	// Some at once: they wait for packets that do not come, but starting the program
	// is work.
	const atOnce = 4
	var checks sync.WaitGroup
	defer checks.Wait()
	places := make(chan struct{}, atOnce)
	check := func(f func()) {
		places <- struct{}{}
		checks.Go(func() {
			defer func() { <-places }()
			f()
		})
	}
	for _, k := range kinds {
		for _, hairpin := range []bool{false, true} {
			site, host := l.Site(t, netns.SiteOptions{Kind: k.kind, Hairpin: hairpin})
			routeBetweenPorts(t, site)
			check(func() {
				where := fmt.Sprintf("%s, hairpin %t:", k.kind, hairpin)
				report, err := diagnose(t, host, "--no-port-map")
				if err != nil {
					t.Error(where, err)
					return
				}
				r := report.Network.IPv4
				if r.Mapping.Kind != k.mapping || r.Filtering.Kind != k.filtering || r.NAT != k.nat {
					t.Errorf("%s found %+v, want %s mapping, %s filtering, NAT: %s", where, r, k.mapping, k.filtering, k.nat)
				}
				// A symmetric router that hairpins still filters what comes from another
				// port than the one that was sent to, and the carrier's switch is not ours.
				judged := r.NAT == netcheck.Yes && k.kind != netns.Symmetric && k.kind != netns.CGNAT
				if got := r.Hairpin == netcheck.Yes; judged && got != hairpin {
					t.Errorf("%s hairpin: %s", where, r.Hairpin)
				}
				if public := site.PublicAddress(); r.NAT == netcheck.Yes && (len(r.Public) != 1 || r.Public[0] != public) {
					t.Errorf("%s the public addresses are %v, not %s", where, r.Public, public)
				}
			})
		}
	}
	for _, by := range []netns.Mapping{netns.PCP, netns.NATPMP, netns.UPnP} {
		site, host := l.Site(t, netns.SiteOptions{Kind: netns.PortRestricted})
		site.MapPorts(t, by)
		check(func() {
			r, err := diagnose(t, host, "--no-port-map=false") // as TestMain says otherwise
			if err != nil || r.Network.PortMapping == nil || r.Network.DoubleNAT || !strings.HasPrefix(r.Verdict, "Every viewer who can send UDP") {
				t.Errorf("%s: %v, %s: %+v, double NAT: %v", by, err, r.Verdict, r.Network.PortMapping, r.Network.DoubleNAT)
			}
		})
	}
}

// routeBetweenPorts keeps the router's switch from translating packets before its
// router does: it never sends one back to the port that it came from, and the
// doctor's two sockets are on one port.
func routeBetweenPorts(t *testing.T, s *netns.Site) {
	t.Helper()
	if s.Router == nil {
		return
	}
	const file = "/proc/sys/net/bridge/bridge-nf-call-iptables" // missing where switches never do
	if out, err := s.Router.Command(t.Context(), "sh", "-c", "! test -e "+file+" || echo 0 >"+file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// When nothing gets through at all there is an answer all the same. How soon is
// netcheck's to test, in virtual time.
func TestDoctor_EndsWhenEverythingIsBlocked(t *testing.T) {
	l := netns.New(t)
	_, host := l.Site(t, netns.SiteOptions{Kind: netns.Blocked, TCP: []int{1}})
	t.Parallel()
	r, err := diagnose(t, host, "--signal", "wss://11.0.0.1", "rtsp://11.0.0.2/stream")
	if err != nil || r.OK || r.Network.UDP != nat.UDPUnknown || len(r.Cameras) != 1 || r.Cameras[0].Problem == "" {
		t.Errorf("found %+v (%v)", r, err)
	}
}

// diagnose runs the program on a host of a lab.
func diagnose(t *testing.T, h *netns.Host, args ...string) (r doctorReport, err error) {
	args = append([]string{"doctor", "--json", "--stun", netns.ServerAddress, "--state-dir", t.TempDir()}, args...)
	cmd := h.Command(t.Context(), "sightline", args...)
	cmd.Env = os.Environ()
	out, ended := cmd.Output()
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("%w (%w): %s", err, ended, out)
	}
	if (ended == nil) != r.OK {
		return r, fmt.Errorf("the report says ok: %v, and the program ended with %w", r.OK, ended)
	}
	return r, nil
}
