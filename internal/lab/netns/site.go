//go:build linux

package netns

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
)

// SiteOptions is how a site is made. The zero value of all but Kind works.
type SiteOptions struct {
	// Kind is how the site is connected.
	Kind Kind
	// Hairpin lets hosts of the site reach each other by the router's public
	// address. For CGNAT it is the carrier's router that does.
	Hairpin bool
	// Carrier puts the site's router behind the carrier of a CGNAT site made
	// before. Kind must be CGNAT.
	Carrier *Site
	// TCP lists the TCP ports that the site may reach. Default: all.
	TCP []int
}

// Site is a router with hosts behind it. The hosts of a site share a LAN; they
// have the addresses 192.168.1.10, 192.168.1.11 and so on.
type Site struct {
	// Router is the namespace of the site's own router, nil for Open. Its
	// interfaces are wan and lan.
	Router *Namespace
	// Options is how the site was made.
	Options SiteOptions

	// constant after construction
	lab     *Lab
	number  int        // 1 to maxSites
	carrier *Namespace // of a CGNAT site
	lan     *Namespace // where hosts are plugged in

	mu    sync.Mutex
	rules ruleset // of the site's own router; guarded by mu
	hosts int     // made so far; guarded by mu
	homes int     // behind this carrier; guarded by mu
}

// maxSites is how many fit into the addresses.
const maxSites = 200

// Site adds a site with one host to the internet.
func (l *Lab) Site(tb testing.TB, o SiteOptions) (*Site, *Host) {
	tb.Helper()
	s, err := l.newSite(o)
	if err != nil {
		tb.Fatalf("a site of kind %s: %v", o.Kind, err)
	}
	return s, s.Host(tb)
}

// Sites adds sites with one host each, all at a time.
func (l *Lab) Sites(tb testing.TB, options ...SiteOptions) []*Host {
	tb.Helper()
	hosts, errs := make([]*Host, len(options)), make([]error, len(options))
	var wg sync.WaitGroup
	for i, o := range options {
		wg.Go(func() {
			s, err := l.newSite(o)
			if err == nil {
				hosts[i], err = s.newHost()
			}
			errs[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		tb.Fatal(err)
	}
	return hosts
}

func (l *Lab) newSite(o SiteOptions) (*Site, error) {
	l.mu.Lock()
	l.sites++
	s := &Site{Options: o, lab: l, number: l.sites}
	l.mu.Unlock()
	if s.number > maxSites {
		return nil, fmt.Errorf("there are no more than %d sites", maxSites)
	}
	switch o.Kind {
	case Open:
		s.lan = l.Servers
		return s, nil
	case CGNAT:
		return s, s.addCarrier()
	default:
		return s, s.addRouter(l.Servers, "internet", ServerAddress, ruleset{
			kind: o.Kind, hairpin: o.Hairpin, wan: fmt.Sprintf("11.0.1.%d", s.number), tcp: o.TCP,
		})
	}
}

// addCarrier makes the two routers of a CGNAT site, or one behind a carrier that
// is there.
func (s *Site) addCarrier() (err error) {
	above := s.Options.Carrier
	if above == nil {
		above = s
		if s.carrier, err = s.addNAT(s.role("carrier"), s.lab.Servers, "internet", ServerAddress,
			"100.64.0.1/16", ruleset{kind: PortRestricted, hairpin: s.Options.Hairpin, wan: fmt.Sprintf("11.0.1.%d", s.number), lan: "100.64.0.0/16"}); err != nil {
			return err
		}
	}
	s.carrier = above.carrier
	above.mu.Lock()
	above.homes++
	wan := fmt.Sprintf("100.64.1.%d", above.homes)
	above.mu.Unlock()
	return s.addRouter(s.carrier, "lan", "100.64.0.1", ruleset{kind: PortRestricted, wan: wan, tcp: s.Options.TCP})
}

// addRouter makes the site's own router and its LAN.
func (s *Site) addRouter(above *Namespace, bridge, gateway string, r ruleset) (err error) {
	if r.kind == IPv6Only {
		s.Router, err = s.addIPv6Router()
	} else {
		r.lan = "192.168.1.0/24"
		s.rules = r
		s.Router, err = s.addNAT(s.role("router"), above, bridge, gateway, "192.168.1.1/24", r)
	}
	s.lan = s.Router
	return err
}

// addNAT makes a router between the bridge of the namespace above and a LAN.
func (s *Site) addNAT(role string, above *Namespace, bridge, gateway, inside string, r ruleset) (*Namespace, error) {
	part := 1 // of the bridge's address
	if bridge == "lan" {
		part = 2 // it is behind a carrier, whose bridge has the other
	}
	n, err := s.lab.namespace(role)
	if err != nil {
		return nil, err
	}
	if err := s.lab.plug(n, "wan", above, bridge, fmt.Sprintf("to-%d", s.number)); err != nil {
		return nil, err
	}
	return n, errors.Join(
		n.ip("link set wan up", "addr add "+r.wan+"/16 dev wan", "route add default via "+gateway,
			addBridge("lan", s.number, part), "link set lan up", "addr add "+inside+" dev lan"),
		n.set("1", "ipv4/ip_forward"),
		n.bridgesOnly(),
		n.nft(r.text()))
}

// addIPv6Router makes a router that has a network of public addresses inside.
func (s *Site) addIPv6Router() (*Namespace, error) {
	n, err := s.lab.namespace(s.role("router"))
	if err != nil {
		return nil, err
	}
	if err := s.lab.plug(n, "wan", s.lab.Servers, "internet", fmt.Sprintf("to-%d", s.number)); err != nil {
		return nil, err
	}
	wan := fmt.Sprintf("2001:db8::1:%x", s.number)
	return n, errors.Join(
		n.ip("link set wan up", "addr add "+wan+"/64 dev wan nodad", "route add default via "+ServerAddressIPv6,
			addBridge("lan", s.number, 1), "link set lan up", "addr add "+s.ipv6(1)+"/64 dev lan nodad"),
		n.set("1", "ipv6/conf/all/forwarding"),
		n.bridgesOnly(),
		n.nft(ruleset{kind: IPv6Only, tcp: s.Options.TCP}.text()),
		s.lab.Servers.ip(fmt.Sprintf("route add %s/64 via %s", s.ipv6(0), wan)))
}

// PublicAddress returns the address that the internet sees packets come from. An
// Open site and an IPv6Only one have none: each host has its own.
func (s *Site) PublicAddress() netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.carrier != nil {
		return netip.AddrFrom4([4]byte{11, 0, 1, byte(s.number)})
	}
	address, _ := netip.ParseAddr(s.rules.wan)
	return address
}

// Renumber gives the router another address outside, as a provider does every
// night; what came by the old one has no way any more. The site's kind must be
// one of a single router that translates.
func (s *Site) Renumber(tb testing.TB) {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.rules.wan
	s.rules.wan = fmt.Sprintf("11.0.2.%d", s.number)
	if old == s.rules.wan {
		s.rules.wan = fmt.Sprintf("11.0.1.%d", s.number)
	}
	if err := errors.Join(
		s.Router.nft("flush ruleset\n"+s.rules.text()),
		s.Router.ip("addr del "+old+"/16 dev wan", "addr add "+s.rules.wan+"/16 dev wan", "route replace default via "+ServerAddress),
		s.Router.forget(),
	); err != nil {
		tb.Fatalf("give a router another address: %v", err)
	}
}

// ipv6 returns an address of the site's own network.
func (s *Site) ipv6(host int) string {
	if host == 0 {
		return fmt.Sprintf("2001:db8:1:%x::", s.number)
	}
	return fmt.Sprintf("2001:db8:1:%x::%x", s.number, host)
}

func (s *Site) role(what string) string { return fmt.Sprintf("%s-%d", what, s.number) }

// addBridge is the command that adds a bridge with an address of its own, made of two
// numbers. One without takes the lowest of its ports': whenever a cable is plugged in
// that has a lower one, all who know the old address are not heard until they ask for
// it again, which is half a minute or more.
func addBridge(name string, site, part int) string {
	return fmt.Sprintf("link add %s address 02:00:00:00:%02x:%02x type bridge mcast_snooping 0", name, part, site)
}

// plug lays a cable between an interface of a namespace and a bridge of another.
func (l *Lab) plug(n *Namespace, name string, other *Namespace, bridge, port string) error {
	return errors.Join(
		n.ip(fmt.Sprintf("link add %s type veth peer name %s netns %s", name, port, other.Name)),
		other.ip(fmt.Sprintf("link set %s master %s up", port, bridge)))
}
