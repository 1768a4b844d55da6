package portmap

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/netns"
)

// The addresses of a home: the device, its router on both sides, and a machine
// somewhere on the internet.
const (
	homeDevice    = "10.1.0.2"
	otherDevice   = "10.1.0.3"
	homeRouter    = "10.1.0.1"
	publicRouter  = "11.0.0.10"
	publicMachine = "11.0.0.1"
)

// routerVariable names a router's namespace for the half of a test that runs in the
// device's.
const routerVariable = "SIGHTLINE_TEST_ROUTER"

// need skips the test, or fails it where nothing may be skipped.
func need(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// atHome runs a test again in a device's network namespace, with a router's beside
// it, and the machine's on the internet behind that; they end with the test. The
// test itself is told the router. No interface of this machine is touched.
func atHome(t *testing.T, test func(t *testing.T, r *router)) {
	t.Helper()
	if name := os.Getenv(routerVariable); name != "" {
		test(t, &router{name: name, outside: os.Getenv(routerVariable + "_OUTSIDE")})
		return
	}
	if os.Geteuid() != 0 {
		need(t, "network namespaces need root")
	}
	for _, tool := range []string{"ip", "nft", "miniupnpd"} {
		if _, err := exec.LookPath(tool); err != nil {
			need(t, tool+" is not installed; see .ci/run for the package")
		}
	}
	t.Parallel() // each waits most of the time
	device, router, outside := newHome(t)
	again := exec.CommandContext(t.Context(), "ip", "netns", "exec", device, os.Args[0],
		"-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "8m")
	again.Env = append(again.Environ(), routerVariable+"="+router, routerVariable+"_OUTSIDE="+outside)
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("inside the device's namespace: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func newHome(t *testing.T) (device, router, outside string) {
	t.Helper()
	name := func(what string) string { return fmt.Sprintf("sl-pm-%s-%d-%d", what, os.Getpid(), rand.Uint32()) }
	device, router, outside = name("device"), name("router"), name("outside")
	for _, n := range []string{device, router, outside} {
		if out, err := exec.CommandContext(t.Context(), "ip", "netns", "add", n).CombinedOutput(); err != nil {
			need(t, fmt.Sprintf("ip netns add: %v: %s", err, out))
		}
		t.Cleanup(func() {
			left, _ := exec.Command("ip", "netns", "pids", n).Output() // of a test that was killed
			for pid := range strings.FieldsSeq(string(left)) {
				if id, err := strconv.Atoi(pid); err == nil {
					_ = syscall.Kill(id, syscall.SIGKILL)
				}
			}
			if out, err := exec.Command("ip", "netns", "del", n).CombinedOutput(); err != nil { // cables end with it
				t.Errorf("ip netns del: %v: %s", err, out)
			}
		})
		run(t, "ip", "-n", n, "link", "set", "lo", "up")
	}
	for _, line := range []string{
		router + " link add lan type veth peer name eth0 netns " + device,
		router + " link add wan type veth peer name eth0 netns " + outside,
		router + " addr add " + homeRouter + "/24 dev lan",
		router + " addr add " + publicRouter + "/24 dev wan",
		router + " link set lan up",
		router + " link set wan up",
		router + " route add default via " + publicMachine,
		device + " addr add " + homeDevice + "/24 dev eth0",
		device + " link set eth0 up",
		device + " route add default via " + homeRouter,
		outside + " addr add " + publicMachine + "/24 dev eth0",
		outside + " link set eth0 up",
	} {
		run(t, "ip", append([]string{"-n"}, strings.Fields(line)...)...)
	}
	run(t, "ip", "netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	return device, router, outside
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// router is a home's router, seen from the device.
type router struct {
	name, outside string // namespaces
	stop          func()
}

// The rules of a router: port-restricted, with the chains that miniupnpd fills.
const routerRules = `
flush ruleset
table inet filter {
	chain input { type filter hook input priority 0; policy accept; %s
	}
	chain forward {
		type filter hook forward priority 0; policy drop
		ct state established,related accept
		iifname "lan" accept
		jump upnp_forward
	}
	chain upnp_forward { }
}
table inet nat {
	chain prerouting { type nat hook prerouting priority -100; jump upnp_prerouting; }
	chain upnp_prerouting { }
	chain postrouting { type nat hook postrouting priority 100; oifname "wan" masquerade; jump upnp_postrouting; }
	chain upnp_postrouting { }
}
`

const routerSettings = `
ext_ifname=wan
listening_ip=lan
http_port=5000
min_lifetime=120
max_lifetime=86400
secure_mode=yes
system_uptime=no
uuid=11111111-2222-3333-4444-555555555555
allow 1024-65535 10.1.0.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
upnp_table_name=filter
upnp_nat_table_name=nat
upnp_forward_chain=upnp_forward
upnp_nat_chain=upnp_prerouting
upnp_nat_postrouting_chain=upnp_postrouting
`

// restart makes a router that knows nothing and starts its daemon; it is stopped
// with the test. input is a rule for what comes to the router itself, settings are
// lines of miniupnpd.conf.
func (r *router) restart(t *testing.T, input string, settings ...string) {
	t.Helper()
	r.halt()
	nft := exec.Command("ip", "netns", "exec", r.name, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(fmt.Sprintf(routerRules, input))
	if out, err := nft.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
	folder := t.TempDir()
	conf := filepath.Join(folder, "miniupnpd.conf")
	text := routerSettings + strings.Join(settings, "\n") + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command("ip", "netns", "exec", r.name, "miniupnpd", "-d", "-f", conf, "-P", filepath.Join(folder, "pid"))
	out, err := daemon.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	r.stop = sync.OnceFunc(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
	})
	t.Cleanup(r.halt)
	ready := "HTTP listening on port"
	if strings.Contains(text, "enable_natpmp=yes") {
		ready = "Listening for NAT-PMP/PCP" // it opens this one last
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), ready) {
	}
	var drained sync.WaitGroup
	drained.Go(func() {
		for lines.Scan() {
			if testing.Verbose() && os.Getenv("MINIUPNPD_LOG") != "" {
				fmt.Fprintln(os.Stderr, lines.Text())
			}
		}
	})
	t.Cleanup(func() { r.halt(); drained.Wait() })
	if strings.Contains(text, "enable_upnp=yes") {
		netns.AwaitSSDP(t, daemon.Process.Pid)
	}
}

// halt stops the daemon.
func (r *router) halt() {
	if r.stop != nil {
		r.stop()
	}
}

// mapped returns the rules with which the router leads ports to the device.
func (r *router) mapped(t *testing.T) string {
	t.Helper()
	return run(t, "ip", "netns", "exec", r.name, "nft", "list", "chain", "inet", "nat", "upnp_prerouting")
}

// send sends a UDP packet from the internet.
func (r *router) send(t *testing.T, to fmt.Stringer, text string) {
	t.Helper()
	host, port, _ := strings.Cut(to.String(), ":")
	run(t, "ip", "netns", "exec", r.outside, "bash", "-c", fmt.Sprintf("echo -n %s >/dev/udp/%s/%s", text, host, port))
}
