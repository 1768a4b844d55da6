//go:build linux

package netns

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/program"
)

// Mapping is a protocol by which hosts ask a router to let a port in.
type Mapping string

// The protocols that miniupnpd speaks.
const (
	PCP    Mapping = "pcp"     // RFC 6887
	NATPMP Mapping = "nat-pmp" // RFC 6886
	UPnP   Mapping = "upnp"    // UPnP IGD
)

// miniupnpd's settings. It maps to addresses of the host that asks alone.
const miniupnpdSettings = `ext_ifname=wan
listening_ip=lan
http_port=5000
min_lifetime=120
max_lifetime=86400
secure_mode=yes
system_uptime=no
uuid=11111111-2222-3333-4444-555555555555
allow 1024-65535 192.168.1.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
upnp_table_name=mapped
upnp_nat_table_name=mapped
upnp_forward_chain=forward
upnp_nat_chain=in
upnp_nat_postrouting_chain=out
enable_natpmp=%s
enable_upnp=%s
`

// MapPorts runs miniupnpd on the site's router, which then maps ports by one
// protocol.
func (s *Site) MapPorts(tb testing.TB, by Mapping) *program.Program {
	tb.Helper()
	Need(tb, "miniupnpd")
	yes := map[bool]string{true: "yes", false: "no"}
	dir := tb.TempDir()
	conf := filepath.Join(dir, "miniupnpd.conf")
	text := fmt.Sprintf(miniupnpdSettings, yes[by != UPnP], yes[by == UPnP])
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	// It has no switch between the two. PCP's version is 2, the other's 0.
	if by == NATPMP {
		if err := s.Router.nft("insert rule inet protect input udp dport 5351 @th,64,8 2 drop\n"); err != nil {
			tb.Fatal(err)
		}
	}
	command := s.Router.Enter("miniupnpd", "-d", "-f", conf, "-P", filepath.Join(dir, "pid"))
	p := program.Start(tb, exec.Command(command[0], command[1:]...)) //nolint:noctx // it ends with the test
	p.WaitFor(tb, `(?i)listening (on|for)`, serverStart)
	if by == UPnP {
		AwaitSSDP(tb, p.PID())
	}
	return p
}

// ssdpPort is where routers hear that somebody looks for them. miniupnpd opens it
// after it has said that it listens, and says nothing of it.
const ssdpPort = 1900

// AwaitSSDP waits until a router's program, of that pid, hears searches.
func AwaitSSDP(tb testing.TB, pid int) {
	tb.Helper()
	open := fmt.Sprintf(":%04X ", ssdpPort)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(serverStart); ; <-again.C {
		table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", pid))
		if err != nil {
			tb.Fatal(err)
		}
		if strings.Contains(string(table), open) {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("the router hears no searches after %v:\n%s", serverStart, table)
		}
	}
}
