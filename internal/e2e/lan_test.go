package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// The two ends of the LAN. Nothing else is in it.
const (
	lanCamera = "10.77.61.1"
	lanPhone  = "10.77.61.2"
)

// phoneVariable names the phone's namespace for the half of the test that runs in
// the camera's.
const phoneVariable = "SIGHTLINE_TEST_PHONE"

// newLAN makes a network namespace for a camera and one for a phone, and a cable
// between them. Both end with the test. No interface of this machine is touched:
// browsers that other tests run would notice, and load their pages again.
func newLAN(t *testing.T) (camera, phone string) {
	t.Helper()
	if os.Geteuid() != 0 {
		need(t, "network namespaces need root")
	}
	ip := lookup(t, "ip")
	run := func(args ...string) error {
		out, err := exec.Command(ip, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	camera, phone = fmt.Sprintf("sl-%d-%s-camera", os.Getpid(), t.Name()), fmt.Sprintf("sl-%d-%s-phone", os.Getpid(), t.Name())
	for _, name := range []string{camera, phone} {
		if err := run("netns", "add", name); err != nil {
			need(t, err.Error())
		}
		t.Cleanup(func() {
			if err := run("netns", "del", name); err != nil { // the cable ends with it
				t.Error(err)
			}
		})
	}
	for _, args := range [][]string{
		{"-n", camera, "link", "set", "lo", "up"},
		{"-n", phone, "link", "set", "lo", "up"},
		{"-n", camera, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", phone},
		// No addresses that come later, by IPv6's duplicate address detection: what
		// a browser is loading fails whenever the addresses change.
		{"-n", camera, "link", "set", "eth0", "addrgenmode", "none"},
		{"-n", phone, "link", "set", "eth0", "addrgenmode", "none"},
		{"-n", camera, "addr", "add", lanCamera + "/24", "dev", "eth0"},
		{"-n", camera, "link", "set", "eth0", "up"},
		{"-n", phone, "addr", "add", lanPhone + "/24", "dev", "eth0"},
		{"-n", phone, "link", "set", "eth0", "up"},
		// A router that is switched off: without a default route Chromium
		// believes that there is no network at all.
		{"-n", phone, "route", "add", "default", "via", "10.77.61.254"},
	} {
		if err := run(args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{camera, phone} {
		waitCable(t, ip, name)
	}
	return camera, phone
}

// waitCable waits until the kernel has noticed that the cable is in, which takes
// it up to a second and tells browsers of a change.
func waitCable(t *testing.T, ip, namespace string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(startTimeout); ; <-tick.C {
		out, err := exec.CommandContext(t.Context(), ip, "-n", namespace, "-oneline", "link", "show", "dev", "eth0").CombinedOutput()
		if err != nil {
			t.Fatalf("look at the cable: %v: %s", err, out)
		}
		if strings.Contains(string(out), " state UP ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the cable is not in: %s", out)
		}
	}
}

// againInLAN runs the test again inside the camera's namespace of a LAN of its own.
func againInLAN(t *testing.T) {
	t.Helper()
	camera, phone := newLAN(t)
	again := exec.CommandContext(t.Context(), lookup(t, "ip"), "netns", "exec", camera, os.Args[0],
		"-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "9m")
	again.Env = append(again.Environ(), phoneVariable+"="+phone, programVariable+"="+binary(t))
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Fatalf("inside the camera's namespace: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// With the internet down a phone opens the camera's own address, is paired there
// and watches: page, signaling and video come from the device, by TLS with its
// own certificate. The test runs itself again inside the camera's namespace.
func TestLAN_WithTheInternetDownAPhoneReachesItsCamera(t *testing.T) {
	if phone := os.Getenv(phoneVariable); phone != "" {
		watchOnLAN(t, phone)
		return
	}
	t.Parallel()
	lookup(t, "chromium", "chromium-browser", "google-chrome")
	againInLAN(t)
}

func watchOnLAN(t *testing.T, phone string) {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state")
	agent := start(t, binary(t), "camera", "--state-dir", state, "--listen", lanCamera+":0", "--udp", lanCamera+":0",
		"--name", "cam", rtspcam.StartGStreamer(t).URL(rtspcam.Open, "baseline"))
	agent.waitFor(t, `https://`+regexp.QuoteMeta(lanCamera)+`\S*`, startTimeout)
	out, err := exec.CommandContext(t.Context(), binary(t), "pair", "--state-dir", state).CombinedOutput()
	if err != nil {
		t.Fatalf("pair: %v\n%s", err, out)
	}
	b := launchIn(t, lookup(t, "ip"), "netns", "exec", phone)
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
