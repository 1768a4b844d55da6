package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// A browser that nobody knows is told its id; put on the list it sees the
// picture, taken off it the picture ends, all without a restart.
func TestAccess_TheListLetsInAndCutsOff(t *testing.T) {
	t.Parallel()
	b := launch(t)
	s := &site{}
	s.startSignal(t)
	list := filepath.Join(t.TempDir(), "viewers.txt")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# nobody yet\n")
	agent := start(t, binary(t), "camera", "--state-dir", t.TempDir(), "--listen", anyPort,
		"--signal", "ws://"+s.signalAddr, "--allow", list, "--name", "cam", rtspcam.StartGStreamer(t).URL(rtspcam.Open, "baseline"))
	link := agent.waitFor(t, `http://`+regexp.QuoteMeta(s.signalAddr)+`\S*`, startTimeout)[0]

	p := b.open("access", link, pageOptions{})
	p.waitState("forbidden", liveTimeout)
	var id string
	p.wait("e2e.all('[data-testid=peer-id]')[0]?.textContent", liveTimeout, &id)
	if len(id) < 52 {
		t.Fatalf("the page shows the id %q", id)
	}

	write(strings.Join(strings.Fields(id), "") + " a browser\n")
	p.waitState("live", recoverTimeout)
	p.waitFrames(25, liveTimeout)

	write("# nobody any more\n")
	start := time.Now()
	p.waitState("forbidden", liveTimeout)
	t.Logf("cut off after %v", time.Since(start).Round(100*time.Millisecond))
}
