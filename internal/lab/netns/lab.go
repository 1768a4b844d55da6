//go:build linux

package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// Addresses of the servers. All IPv4 addresses of the internet are in
// 11.0.0.0/16, which routers and programs take for public ones; those that are
// set aside for examples some refuse to map, relay or show.
const (
	ServerAddress           = "11.0.0.1"
	SecondServerAddress     = "11.0.0.2"
	ServerAddressIPv6       = "2001:db8::1"
	SecondServerAddressIPv6 = "2001:db8::2"
)

// ServerName is the servers' name. Every host resolves it to the address that it
// can reach, as the DNS of a server with both kinds of addresses does; no other
// name has one.
const ServerName = "sightline.test"

// prefix begins the names of all namespaces; the number of the process follows.
const prefix = "sightline-"

//nolint:gochecknoglobals // makes the names of two labs of one process differ
var labs atomic.Int32

// Lab is an internet.
type Lab struct {
	// Servers is the namespace of the servers.
	Servers *Namespace

	// constant after construction
	number int32

	mu    sync.Mutex
	names []string // of the namespaces to remove; guarded by mu
	sites int      // made so far; guarded by mu
}

// New makes an internet without any site, which ends with the test.
func New(tb testing.TB) *Lab {
	tb.Helper()
	Need(tb, "ip", "nft")
	if err := sweep(); err != nil {
		tb.Fatal(err)
	}
	l := &Lab{number: labs.Add(1)}
	tb.Cleanup(func() {
		if err := l.remove(); err != nil {
			tb.Error(err)
		}
	})
	if err := l.addServers(); err != nil {
		tb.Fatal(err)
	}
	return l
}

// addServers makes the namespace of the servers and the bridge that is the
// internet. What nobody answers for goes to a cable that ends nowhere: programs
// take a network that is unreachable for their own fault.
func (l *Lab) addServers() (err error) {
	if l.Servers, err = l.namespace("servers"); err != nil {
		return err
	}
	err = l.Servers.ip(
		addBridge("internet", 0, 0),
		"link set internet up",
		"addr add "+ServerAddress+"/16 dev internet",
		"addr add "+SecondServerAddress+"/16 dev internet",
		"addr add "+ServerAddressIPv6+"/64 dev internet nodad",
		"addr add "+SecondServerAddressIPv6+"/64 dev internet nodad",
		"link add nowhere type veth peer name nowhere-end",
		"link set nowhere-end up",
		"link set nowhere arp off up",
		"route add default dev nowhere",
		"route add ::/0 dev nowhere",
	)
	return errors.Join(err, l.Servers.set("1", "ipv6/conf/all/forwarding"), l.Servers.bridgesOnly())
}

// namespace makes a namespace with a loopback interface.
func (l *Lab) namespace(role string) (*Namespace, error) {
	n := &Namespace{Name: fmt.Sprintf("%s%d-%d-%s", prefix, os.Getpid(), l.number, role)}
	if err := run("", "ip", "netns", "add", n.Name); err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.names = append(l.names, n.Name)
	l.mu.Unlock()
	// Addresses of IPv6 are used at once, without a look for others who have them.
	return n, errors.Join(n.set("0", "ipv6/conf/default/accept_dad", "ipv6/conf/default/dad_transmits"), n.ip("link set lo up"),
		n.resolve(ServerAddress, ServerAddressIPv6))
}

// resolve says what addresses ServerName has in the namespace. Programs that
// already run there notice, too.
func (n *Namespace) resolve(addresses ...string) error {
	hosts := "127.0.0.1 localhost\n::1 localhost\n"
	for _, a := range addresses {
		hosts += a + " " + ServerName + " " + ServerName + ".\n" // Chromium adds the dot for WebRTC
	}
	dir := filepath.Join(etc, n.Name) // `ip netns exec` lays it over /etc
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("names for %s: %w", n.Name, err)
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "hosts"), []byte(hosts), 0o644),
		os.WriteFile(filepath.Join(dir, "resolv.conf"), []byte("nameserver 127.0.0.1\n"), 0o644))
}

// etc has a folder for each namespace.
const etc = "/etc/netns"

// del removes a namespace; its cables and rules end with it.
func del(name string) error {
	return errors.Join(run("", "ip", "netns", "del", name), os.RemoveAll(filepath.Join(etc, name)))
}

// remove removes all namespaces.
func (l *Lab) remove() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, name := range l.names {
		errs = append(errs, del(name))
	}
	l.names = nil
	return errors.Join(errs...)
}

// sweep removes the namespaces of processes that are gone.
func sweep() error {
	paths, err := filepath.Glob("/run/netns/" + prefix + "*")
	if err != nil {
		return fmt.Errorf("look for old namespaces: %w", err)
	}
	number := regexp.MustCompile("^" + prefix + `(\d+)-\d+-`)
	for _, path := range paths {
		m := number.FindStringSubmatch(filepath.Base(path))
		if m == nil {
			continue
		}
		pid, err := strconv.Atoi(m[1])
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		// Another test may be about to do the same.
		if err := del(filepath.Base(path)); err != nil && exists(path) {
			return err
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
