package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// Chromium says it knows no high profile in WebRTC, and decodes it; cameras
// send all of these.
func TestCamera_EveryKindOfH264IsSeen(t *testing.T) {
	b := launch(t)
	g := rtspcam.StartGStreamer(t)
	for _, stream := range []string{"baseline", "main", "high", "slices", "bigpackets", "smallpackets", "outofband", "pcmu", "opus"} {
		t.Run(stream, func(t *testing.T) {
			b.during(t)
			s := newSite(t, g.URL(rtspcam.Open, stream))
			p := b.open("camera-"+stream, s.link, pageOptions{})
			defer p.close()
			p.waitState("live", liveTimeout)
			p.waitFrames(50, liveTimeout)
			if got := p.rtc(); got.Codec != "video/H264" || got.Width == 0 || got.PacketsLost > 0 {
				t.Errorf("statistics %+v", got)
			}
		})
	}
}

// Several cameras by configuration file, protected in different ways, in one
// page over one connection.
func TestCamera_SeveralFromOneFileAreSeenTogether(t *testing.T) {
	b := launch(t)
	g := rtspcam.StartGStreamer(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"password": rtspcam.Password + "\n",
		"sightline.yaml": fmt.Sprintf(`
open: true
stateDir: state
cameras:
  - {id: front, name: Front door, url: %q, username: %s, passwordFile: password}
  - id: yard
    url: %q
    username: %s
    passwordFile: password
    transport: tcp
    tls: {fingerprint: %q}
`, g.URL(rtspcam.Digest, "baseline"), rtspcam.User, g.URL(rtspcam.TLS, "baseline"), rtspcam.User, g.Fingerprint),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &site{}
	s.startSignal(t)
	agent := start(t, binary(t, "sightline"), "camera", "--config", filepath.Join(dir, "sightline.yaml"),
		"--listen", anyPort, "--signal", "ws://"+s.signalAddr)
	link := agent.waitFor(t, `http://`+regexp.QuoteMeta(s.signalAddr)+`\S*`, startTimeout)[0]

	p := b.open("two-cameras", link, pageOptions{})
	p.wait("e2e.states().length === 2", liveTimeout, nil)
	p.waitState("live", liveTimeout)
	p.wait("!!e2e.video(1) && e2e.colours(0) > 1 && e2e.colours(1) > 1", liveTimeout, nil) // a white ball on black
	if got := p.rtc(); got.Connections != 1 {
		t.Errorf("%d peer connections to one agent", got.Connections)
	}
	t.Logf("see %s", p.screenshot("two-cameras"))
}
