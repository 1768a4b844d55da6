package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// With the signaling server dead, or with none at all, a viewer finds its camera
// by multicast DNS, and the camera introduces it to itself. The test runs itself
// again inside the camera's namespace.
func TestLAN_WithoutASignalingServerAViewerFindsItsCamera(t *testing.T) {
	if phone := os.Getenv(phoneVariable); phone != "" {
		t.Setenv("SIGHTLINE_NO_MDNS", "false")
		findOnLAN(t, phone)
		return
	}
	t.Parallel()
	againInLAN(t)
}

func findOnLAN(t *testing.T, phone string) {
	t.Helper()
	sightline, dir := binary(t), t.TempDir()
	output := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), sightline, args...).Output()
		if err != nil {
			t.Fatalf("sightline %s: %v", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	viewerState, agentState, allow := filepath.Join(dir, "viewer"), filepath.Join(dir, "agent"), filepath.Join(dir, "allow")
	if err := os.WriteFile(allow, []byte(output("id", "--viewer", "--state-dir", viewerState)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := output("id", "--state-dir", agentState)
	picture, err := rtspcam.Picture(testpattern.Options{Width: 640, Height: 360})
	if err != nil {
		t.Fatal(err)
	}
	agent := start(t, sightline, "camera", "--state-dir", agentState, "--allow", allow, "--name", "cam", "--log-level", "debug", picture.Start(t))
	agent.waitFor(t, `https://`+regexp.QuoteMeta(lanCamera)+`\S*`, startTimeout)
	watch := func(t *testing.T, args ...string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "video")
		began := time.Now()
		viewer := start(t, lookup(t, "ip"), append([]string{"netns", "exec", phone, sightline}, append(args,
			"--log-level", "info", "--state-dir", viewerState, "--duration", "2s", "-o", file)...)...)
		viewer.waitFor(t, "path=direct", startTimeout)
		t.Logf("connected %v after the start", time.Since(began).Round(10*time.Millisecond))
		if !viewer.ended(startTimeout) {
			t.Fatal("sightline view did not end by itself")
		}
		if info, err := os.Stat(file); err != nil || info.Size() < 10_000 {
			t.Errorf("no video: %v", err)
		}
	}
	t.Run("no server", func(t *testing.T) { watch(t, "view", id) })
	t.Run("server dead", func(t *testing.T) { watch(t, "view", id, "--signal", "wss://"+lanPhone+":9") })
	t.Run("a link of another address", func(t *testing.T) { watch(t, "view", "https://10.77.61.77:8788/#peer="+id) })
	// Now nothing introduces the two any more, and the camera has another address.
	// What is left is the ticket of the last session and multicast DNS.
	agent.kill(t)
	ip := lookup(t, "ip")
	for _, args := range [][]string{{"addr", "del", lanCamera + "/24", "dev", "eth0"}, {"addr", "add", "10.77.61.9/24", "dev", "eth0"}} {
		if out, err := exec.CommandContext(t.Context(), ip, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	start(t, sightline, "camera", "--state-dir", agentState, "--allow", allow, "--name", "cam", "--log-level", "debug",
		"--signal", "wss://"+lanPhone+":9", picture.Start(t))
	t.Run("a ticket at another address", func(t *testing.T) { watch(t, "view", id, "--signal", "wss://"+lanPhone+":9") })
	t.Run("told to leave the network alone", func(t *testing.T) {
		out, err := exec.CommandContext(t.Context(), lookup(t, "ip"), "netns", "exec", phone, sightline, "view", id,
			"--state-dir", t.TempDir(), "--no-mdns").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "no signaling server") {
			t.Errorf("%v: %s", err, out)
		}
	})
}
