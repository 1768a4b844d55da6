package discovery

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/mdns/v2"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Variables for the parts of the test that run in the namespaces.
const (
	farVariable   = "SIGHTLINE_TEST_FAR"   // name of the far namespace, for the near part
	agentVariable = "SIGHTLINE_TEST_AGENT" // the agent's id, for the far part
)

// patience is how long something real may take.
const patience = time.Minute

// On real networks, that come and go: two namespaces and a cable between them. The
// near end is ours; at the far end are another LAN of ours and a responder that is
// not ours, and Chromium. The test runs itself again in both namespaces.
func TestKernel(t *testing.T) {
	if far := os.Getenv(farVariable); far != "" {
		nearEnd(t, far)
		return
	}
	if os.Geteuid() != 0 {
		need(t, "network namespaces need root")
	}
	near, far := fmt.Sprintf("sl-near-%d", os.Getpid()), fmt.Sprintf("sl-far-%d", os.Getpid())
	for _, name := range []string{near, far} {
		if out, err := exec.Command(tool(t, "ip"), "netns", "add", name).CombinedOutput(); err != nil {
			need(t, "make a network namespace: "+string(out))
		}
		t.Cleanup(func() { ip(t, "netns", "del", name) })
		// Addresses are there at once, not after a second of asking whose they are.
		ip(t, "netns", "exec", name, "sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad")
		ip(t, "-n", name, "link", "set", "lo", "up")
	}
	again := exec.CommandContext(t.Context(), tool(t, "ip"), "netns", "exec", near, os.Args[0],
		"-test.run", "^TestKernel$", "-test.v", "-test.timeout", "10m")
	again.Env = append(again.Environ(), farVariable+"="+far)
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestKernel ") {
		t.Fatalf("inside the near namespace: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func nearEnd(t *testing.T, far string) {
	l := New(Options{})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	peer := newPeer(t)
	t.Run("nobody there", func(t *testing.T) {
		if _, err := l.Find(within(t, 100*time.Millisecond), peer); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	})
	layCable(t, far, "10.77.62.1/24", "10.77.62.2/24")
	startFarEnd(t, far, peer)
	t.Run("found by ours", func(t *testing.T) { findAt(t, l, peer, "10.77.62.2") })
	t.Run("found by another", func(t *testing.T) { foundByPion(t, peer) })
	t.Run("another's name", func(t *testing.T) {
		began := time.Now()
		addr, err := l.Resolve(within(t, patience), candidate)
		if err != nil || addr.String() != "10.77.62.2" && !addr.Is6() {
			t.Errorf("got %v, %v", addr, err)
		}
		t.Logf("resolved in %v", time.Since(began).Round(time.Millisecond))
	})
	waitLinkLocal(t, far)
	t.Run("a browser's candidate", func(t *testing.T) { chromiumCandidate(t, l, far) })
	ip(t, "link", "del", "eth0")
	layCable(t, far, "10.77.63.1/24", "10.77.63.2/24")
	t.Run("another network", func(t *testing.T) { findAt(t, l, peer, "10.77.63.2") })
	ip(t, "link", "del", "eth0")
	layCable(t, far)
	t.Run("IPv6 alone", func(t *testing.T) {
		if got := findAt(t, l, peer, "fe80::"); got.IsValid() && got.Zone() == "" {
			t.Errorf("no zone in %s", got)
		}
	})
}

// findAt finds the far end's agent at an address that begins like this.
func findAt(t *testing.T, l *LAN, peer identity.PeerID, prefix string) (found netip.Addr) {
	t.Helper()
	began := time.Now()
	ctx, done := context.WithTimeout(t.Context(), patience)
	defer done()
	err := l.Browse(ctx, peer, func(s Service) {
		i := slices.IndexFunc(s.Addresses, func(a netip.Addr) bool { return strings.HasPrefix(a.String(), prefix) })
		if i >= 0 && s.Port == 8788 && s.UDP == 40000 && s.TLS {
			found = s.Addresses[i]
			done()
		}
	})
	if err != nil || !found.IsValid() {
		t.Errorf("not found: %v", err)
	}
	t.Logf("found in %v", time.Since(began).Round(time.Millisecond))
	return found
}

// foundByPion browses as a program would that is not ours.
func foundByPion(t *testing.T, peer identity.PeerID) {
	c := pionConn(t)
	found := make(chan mdns.ServiceEvent, 16)
	c.OnServiceDiscovered(func(e mdns.ServiceEvent) {
		select {
		case found <- e:
		default:
		}
	})
	if err := c.Browse(t.Context(), "_sightline._tcp"); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-found:
		if e.Instance.Instance != string(peer) || e.Instance.Port != 8788 || len(e.Instance.Text) != 4 {
			t.Errorf("found %+v", e)
		}
	case <-time.After(patience):
		t.Error("not found")
	}
}

func pionConn(t *testing.T, o ...mdns.ServerOption) *mdns.Conn {
	t.Helper()
	four, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(group4), Port: mdnsPort})
	if err != nil {
		t.Fatal(err)
	}
	six, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.ParseIP(group6), Port: mdnsPort})
	if err != nil {
		t.Fatal(err)
	}
	c, err := mdns.NewServer(ipv4.NewPacketConn(four), ipv6.NewPacketConn(six), o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// startFarEnd starts TestFarEnd in the far namespace.
func startFarEnd(t *testing.T, far string, peer identity.PeerID) {
	t.Helper()
	cmd := exec.Command(tool(t, "ip"), "netns", "exec", far, os.Args[0], "-test.run", "^TestFarEnd$", "-test.v", "-test.timeout", "10m")
	cmd.Env = append(cmd.Environ(), agentVariable+"="+string(peer))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && lines.Text() != "ready" {
		t.Logf("far end: %s", lines.Text())
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		rest, _ := io.ReadAll(stdout)
		if err := cmd.Wait(); err != nil {
			t.Errorf("far end: %v\n%s", err, rest)
		}
	})
}

// TestFarEnd advertises, and answers to the name of a candidate, until its input
// ends.
func TestFarEnd(t *testing.T) {
	peer := os.Getenv(agentVariable)
	if peer == "" {
		return // a part of TestKernel
	}
	l := New(Options{})
	pionConn(t, mdns.WithLocalNames(candidate))
	stop := advertise(t, l, Service{Peer: identity.PeerID(peer), Port: 8788, TLS: true, UDP: 40000})
	if _, err := os.Stdout.WriteString("ready\n"); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	stop()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// chromiumCandidate has a page in Chromium gather its candidates, and resolves
// the name that one of them has.
func chromiumCandidate(t *testing.T, l *LAN, far string) {
	browser := tool(t, "chromium", "chromium-browser", "google-chrome")
	candidates := make(chan string, 16)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<script>
const c = new RTCPeerConnection();
c.createDataChannel('');
c.onicecandidate = (e) => e.candidate && fetch('/', {method: 'POST', body: e.candidate.candidate});
c.setLocalDescription();
</script>`)
	})
	mux.HandleFunc("POST /", func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		select {
		case candidates <- string(text):
		default:
		}
	})
	listener, err := net.Listen("tcp", "10.77.62.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	profile := filepath.Join(t.TempDir(), "profile")
	cmd := exec.Command(tool(t, "ip"), "netns", "exec", far, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir="+profile, "http://"+listener.Addr().String()+"/")
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		remove(t, profile)
	}()
	select {
	case c := <-candidates:
		fields := strings.Fields(c)
		if len(fields) < 5 || !strings.HasSuffix(fields[4], ".local") {
			t.Fatalf("not hidden behind a name: %q", c)
		}
		began := time.Now()
		addr, err := l.Resolve(within(t, patience), fields[4])
		if err != nil || addr.String() != "10.77.62.2" {
			t.Errorf("%s: got %v, %v", fields[4], addr, err)
		}
		t.Logf("%s is %s, resolved in %v", fields[4], addr, time.Since(began).Round(time.Millisecond))
	case <-time.After(patience):
		t.Error("Chromium gathered no candidate")
	}
}

// remove removes the folder of a browser that has ended: processes of its own may write
// to it for a moment longer.
func remove(t *testing.T, dir string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); os.RemoveAll(dir) != nil; <-tick.C {
		if time.Now().After(deadline) {
			t.Error("the browser goes on writing after its end")
			return
		}
	}
}

// layCable joins the near end, in whose namespace this is, to the far one, where
// the default route is the near end (or Chromium gathers nothing).
func layCable(t *testing.T, far string, addresses ...string) {
	t.Helper()
	ip(t, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", far)
	for i, at := range [][]string{nil, {"-n", far}} {
		if i < len(addresses) {
			ip(t, append(slices.Clone(at), "addr", "add", addresses[i], "dev", "eth0")...)
		}
		ip(t, append(slices.Clone(at), "link", "set", "eth0", "up")...)
	}
	if len(addresses) > 0 {
		via, _, _ := strings.Cut(addresses[0], "/")
		ip(t, "-n", far, "route", "add", "default", "via", via)
	}
}

// waitLinkLocal waits until the kernel has noticed the cable at the far end, and
// has given it its last address: what Chromium loads fails whenever they change.
func waitLinkLocal(t *testing.T, far string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		out, err := exec.Command(tool(t, "ip"), "-n", far, "-6", "addr", "show", "dev", "eth0", "scope", "link").CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), "fe80::") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the cable is not noticed")
		}
	}
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// need skips a test for which something is missing; in CI it fails.
func need(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

func tool(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	need(t, names[0]+" is not installed")
	return ""
}
