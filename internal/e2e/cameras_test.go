package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// Chromium says it knows no high profile in WebRTC, and decodes it; cameras
// send all of these.
func TestCamera_EveryKindOfH264IsSeen(t *testing.T) {
	t.Parallel()
	b := launch(t)
	g := rtspcam.StartGStreamer(t)
	streams := []string{"baseline", "main", "high", "slices", "bigpackets", "smallpackets", "outofband", "pcmu", "opus"}
	s := &site{stateDir: filepath.Join(t.TempDir(), "state")}
	s.startSignal(t)
	args := []string{"camera", "--state-dir", s.stateDir, "--listen", anyPort, "--signal", "ws://" + s.signalAddr, "--open"}
	for _, stream := range streams {
		args = append(args, "--name", stream)
	}
	for _, stream := range streams {
		args = append(args, g.URL(rtspcam.Open, stream))
	}
	s.agent = start(t, binary(t), args...)
	p := b.open("cameras", s.agent.waitFor(t, `http://`+regexp.QuoteMeta(s.signalAddr)+`\S*`, startTimeout)[0], pageOptions{})
	p.wait(fmt.Sprintf("e2e.states().length === %d", len(streams)), liveTimeout, nil)
	p.waitState("live", liveTimeout)
	for _, stream := range streams {
		t.Run(stream, func(t *testing.T) {
			b.during(t)
			p.flawless(stream)
		})
	}
	t.Logf("see %s", p.screenshot("cameras"))
}

// flawless waits until fifty pictures of a camera were decoded in a row and no packet
// was missing between them: a busy machine may lose some now and then.
func (p *page) flawless(camera string) {
	p.b.t.Helper()
	type received struct {
		Codec                             string
		Width, FramesDecoded, PacketsLost int
	}
	var began, now received
	p.wait(fmt.Sprintf("e2e.received().then((all) => all[%q])", camera), liveTimeout, &began)
	if began.Codec != "video/H264" || began.Width == 0 {
		p.b.t.Errorf("statistics %+v", began)
	}
	began = received{} // from the first picture on, if that was well
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(liveTimeout); ; <-tick.C {
		p.eval(fmt.Sprintf("e2e.received().then((all) => all[%q])", camera), &now)
		if now.PacketsLost > began.PacketsLost {
			p.b.t.Logf("begun anew: %+v", now)
			began = now
		}
		if now.FramesDecoded >= began.FramesDecoded+50 {
			return
		}
		if time.Now().After(deadline) {
			p.b.t.Fatalf("no fifty pictures without a flaw: %+v, then %+v", began, now)
		}
	}
}

// Several cameras by configuration file, protected in different ways, in one
// page over one connection.
func TestCamera_SeveralFromOneFileAreSeenTogether(t *testing.T) {
	t.Parallel()
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
	agent := start(t, binary(t), "camera", "--config", filepath.Join(dir, "sightline.yaml"),
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
