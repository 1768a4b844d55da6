//go:build linux

package netns

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestLab_IsUpInASecondAndGoneAfterTheTest(t *testing.T) {
	var names []string
	t.Run("lab", func(t *testing.T) {
		start := time.Now()
		l := New(t)
		l.Sites(t, SiteOptions{Kind: PortRestricted}, SiteOptions{Kind: CGNAT})
		t.Logf("up in %v", time.Since(start).Round(time.Millisecond))
		names = l.names
	})
	if len(names) != 6 {
		t.Errorf("namespaces %v; want servers, 3 routers and 2 hosts", names)
	}
	for _, name := range names {
		for _, dir := range []string{"/run/netns", "/etc/netns"} {
			if exists(filepath.Join(dir, name)) {
				t.Errorf("%s is still in %s", name, dir)
			}
		}
	}
}

func TestNew_RemovesWhatAKilledTestLeft(t *testing.T) {
	Need(t, "ip")
	gone := exec.CommandContext(t.Context(), "true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	old := prefix + strconv.Itoa(gone.Process.Pid) + "-1-old"
	if err := run("", "ip", "netns", "add", old); err != nil {
		t.Fatal(err)
	}
	New(t)
	if exists("/run/netns/" + old) {
		t.Errorf("%s is still there", old)
	}
}

func TestLab_AddsNoInterfaceToTheMachine(t *testing.T) {
	Need(t, "ip")
	before := interfaces(t)
	l := New(t)
	l.Sites(t, SiteOptions{Kind: Open}, SiteOptions{Kind: FullCone}, SiteOptions{Kind: CGNAT}, SiteOptions{Kind: IPv6Only})
	if after := interfaces(t); after != before {
		t.Errorf("interfaces %s, before %s", after, before)
	}
}

func interfaces(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir("/sys/class/net")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// Two IPv6 homes reach each other once both have sent.
func TestIPv6Only_LetsInWhatWasAskedFor(t *testing.T) {
	l := New(t)
	hosts := l.Sites(t, SiteOptions{Kind: IPv6Only}, SiteOptions{Kind: IPv6Only})
	var at [2]netip.AddrPort
	a, err := hosts[0].ListenPacket(t.Context(), "["+hosts[0].Address+"]:4000")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := hosts[1].ListenPacket(t.Context(), "["+hosts[1].Address+"]:4000")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for i, h := range hosts {
		at[i] = netip.AddrPortFrom(netip.MustParseAddr(h.Address), 4000)
	}
	write(t, a, "first", at[1])
	if hears(t, b, "first", at[0], false) {
		t.Error("a packet came in that nobody asked for")
	}
	write(t, b, "answer", at[0])
	if !hears(t, a, "answer", at[1], true) {
		t.Error("the answer does not come in")
	}
}

func TestHost_MovesToAnotherSite(t *testing.T) {
	l := New(t)
	l.Coturn(t, CoturnOptions{})
	_, phone := l.Site(t, SiteOptions{Kind: PortRestricted})
	mobile, _ := l.Site(t, SiteOptions{Kind: CGNAT})
	_, before := bind(t, phone)
	phone.Move(t, mobile)
	_, after := bind(t, phone)
	if !before.IsValid() || !after.IsValid() || before.Addr() == after.Addr() {
		t.Errorf("public address %s, and after the move %s", before, after)
	}
}

// What hosts of a LAN send to each other is none of their router's business, not
// even if it blocks all UDP.
func TestSite_HostsReachEachOther(t *testing.T) {
	l := New(t)
	for _, kind := range []Kind{Blocked, FullCone, CGNAT} {
		site, first := l.Site(t, SiteOptions{Kind: kind})
		second := site.Host(t)
		a, err := first.ListenPacket(t.Context(), first.Address+":4000")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		b, err := second.ListenPacket(t.Context(), second.Address+":4000")
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		heard := false
		for deadline := time.Now().Add(patience); !heard && time.Now().Before(deadline); { // the cable has just been plugged in
			write(t, a, "hello", netip.MustParseAddrPort(second.Address+":4000"))
			heard = hears(t, b, "hello", netip.MustParseAddrPort(first.Address+":4000"), false)
		}
		if !heard {
			t.Errorf("%s: a host does not hear its neighbour", kind)
		}
	}
}

// A cable that is plugged in later cuts nobody off, whatever address it has.
func TestLab_StaysReachableWhilePortsAreAdded(t *testing.T) {
	l := New(t)
	l.Coturn(t, CoturnOptions{})
	site, host := l.Site(t, SiteOptions{Kind: PortRestricted})
	for _, address := range []string{"00:00:00:00:00:03", "00:00:00:00:00:02"} {
		for n, bridge := range map[*Namespace]string{l.Servers: "internet", site.Router: "lan"} {
			port := "p" + address[len(address)-1:]
			if err := n.ip("link add "+port+" address "+address+" type veth peer name "+port+"-end",
				"link set "+port+"-end up", "link set "+port+" master "+bridge+" up"); err != nil {
				t.Fatal(err)
			}
		}
		if _, mapped := bind(t, host); !mapped.IsValid() {
			t.Errorf("no answer once there is a port %s", address)
		}
	}
}
