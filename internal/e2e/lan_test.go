package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// lan is a network of two: this machine, and a namespace for a phone. It leads
// nowhere else.
type lan struct {
	namespace string
	camera    string // this machine's address in it
}

// newLAN makes a LAN that ends with the test.
func newLAN(t *testing.T) *lan {
	t.Helper()
	if os.Geteuid() != 0 {
		need(t, "network namespaces need root")
	}
	ip := lookup(t, "ip")
	l := &lan{namespace: fmt.Sprintf("sl-phone-%d", os.Getpid()), camera: "10.77.61.1"}
	link := fmt.Sprintf("sl%d", os.Getpid())
	run := func(args ...string) error {
		out, err := exec.Command(ip, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	if err := run("netns", "add", l.namespace); err != nil {
		need(t, err.Error())
	}
	t.Cleanup(func() {
		if err := run("netns", "del", l.namespace); err != nil { // the link ends with it
			t.Error(err)
		}
	})
	for _, args := range [][]string{
		{"link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", l.namespace},
		{"addr", "add", l.camera + "/24", "dev", link},
		{"link", "set", link, "up"},
		{"-n", l.namespace, "link", "set", "lo", "up"},
		{"-n", l.namespace, "addr", "add", "10.77.61.2/24", "dev", "eth0"},
		{"-n", l.namespace, "link", "set", "eth0", "up"},
		// A router that is switched off: without a default route Chromium
		// believes that there is no network at all.
		{"-n", l.namespace, "route", "add", "default", "via", "10.77.61.254"},
	} {
		if err := run(args...); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// With the internet down a phone opens the camera's own address, is paired there
// and watches: page, signaling and video come from the device, by TLS with its
// own certificate.
func TestLAN_WithTheInternetDownAPhoneReachesItsCamera(t *testing.T) {
	l := newLAN(t)
	state := filepath.Join(t.TempDir(), "state")
	agent := start(t, binary(t, "sightline"), "camera", "--state-dir", state, "--listen", l.camera+":0", "--udp", l.camera+":0",
		"--name", "cam", rtspcam.StartGStreamer(t).URL(rtspcam.Open, "baseline"))
	agent.waitFor(t, `https://`+regexp.QuoteMeta(l.camera)+`\S*`, startTimeout)
	out, err := exec.CommandContext(t.Context(), binary(t, "sightline"), "pair", "--state-dir", state).CombinedOutput()
	if err != nil {
		t.Fatalf("pair: %v\n%s", err, out)
	}
	b := launchIn(t, lookup(t, "ip"), "netns", "exec", l.namespace)
	p := b.open("phone", linkIn(t, string(out)), pageOptions{Insecure: true, Width: 390, Height: 844})
	var secure bool
	if p.eval("isSecureContext", &secure); !secure {
		t.Error("the camera's own address is no secure context")
	}
	p.text("pair-accept", liveTimeout)
	t.Logf("see %s", p.screenshot("lan-pair"))
	p.fill("pair-name", "Anna")
	p.click("pair-accept")
	p.waitState("live", liveTimeout)
	p.waitFrames(25, liveTimeout)
	t.Logf("see %s", p.screenshot("lan-live"))
}
