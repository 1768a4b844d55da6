package e2e

import (
	"cmp"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/freeport"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// recoverTimeout is how long a page may take to be live again once everything
// it needs is back: back-off on both sides, half a minute each, included.
const recoverTimeout = 2 * time.Minute

// site is a signaling service, and an agent that is known by its state folder.
type site struct {
	signalAddr    string // empty for any, until it was started
	stateDir      string
	link          string // of the agent's page
	signal, agent *process
}

// newSite starts a signaling service and an agent for an RTSP camera.
func newSite(t *testing.T, camera string) *site {
	t.Helper()
	s := &site{stateDir: filepath.Join(t.TempDir(), "state")}
	s.start(t, camera)
	return s
}

func (s *site) start(t *testing.T, camera string) {
	t.Helper()
	s.startSignal(t)
	s.startAgent(t, camera)
}

// anyPort lets a program choose its address, so that nobody else can take it
// first.
const anyPort = "127.0.0.1:0"

// startSignal starts the signaling service, again at the address that it had.
func (s *site) startSignal(t *testing.T) {
	t.Helper()
	s.signal = start(t, binary(t), "signal", "--listen", cmp.Or(s.signalAddr, anyPort))
	s.signalAddr = s.signal.waitFor(t, `signaling server is at http://([0-9.:]+)`, startTimeout)[1]
}

func (s *site) startAgent(t *testing.T, camera string) {
	t.Helper()
	s.agent = start(t, binary(t), "camera", "--state-dir", s.stateDir, "--listen", anyPort,
		"--signal", "ws://"+s.signalAddr, "--open", "--name", "cam", camera)
	m := s.agent.waitFor(t, `http://`+regexp.QuoteMeta(s.signalAddr)+`\S*`, startTimeout)
	s.link = m[0]
}

func TestAgent_KilledAndRestartedIsLiveAgain(t *testing.T) {
	t.Parallel()
	b := launch(t)
	camera := rtspcam.StartGStreamer(t).URL(rtspcam.Open, "baseline")
	s := newSite(t, camera)
	p := b.open("agent-restart", s.link, pageOptions{})
	p.waitState("live", liveTimeout)
	p.waitFrames(25, liveTimeout)

	link := s.link
	s.agent.kill(t)
	p.wait("!e2e.states().includes('live')", recoverTimeout, nil)
	t.Logf("see %s", p.screenshot("agent-gone"))

	s.startAgent(t, camera)
	if s.link != link {
		t.Errorf("the agent's link changed from %s to %s: its key was lost", link, s.link)
	}
	p.waitState("live", recoverTimeout)
	p.waitFrames(25, liveTimeout)
}

// What is watched goes on without the service, and nothing of it is made anew. The
// picture may pause for a moment: a busy machine is enough for that.
func TestSignaling_KilledWhileWatchingDoesNotInterrupt(t *testing.T) {
	t.Parallel()
	b := launch(t)
	s := &site{stateDir: filepath.Join(t.TempDir(), "state"), signalAddr: freeport.Address(t)}
	s.start(t, rtspcam.StartGStreamer(t).URL(rtspcam.Open, "baseline"))
	p := b.open("signal-restart", s.link, pageOptions{})
	p.waitState("live", liveTimeout)
	undisturbed := func() {
		t.Helper()
		p.waitState("live", liveTimeout)
		if got := p.rtc(); got.Connections != 1 || got.State != "connected" {
			t.Errorf("the session was set up again although it was well: %+v", got)
		}
		if log, _ := s.agent.log(); strings.Contains(log, "a viewer left") {
			t.Error("the agent ended the session")
		}
	}

	s.signal.kill(t)
	s.agent.waitFor(t, "signaling is down", startTimeout)
	p.waitFrames(250, recoverTimeout) // ten seconds without it
	undisturbed()

	s.startSignal(t)
	s.agent.waitFor(t, `(?s)signaling is up.*signaling is up`, recoverTimeout)
	// A new viewer finds the agent again, which has registered by itself.
	late := b.open("signal-late", s.link, pageOptions{})
	late.waitState("live", liveTimeout)
	p.waitFrames(25, liveTimeout)
	undisturbed()
}

func TestCamera_VanishedIsSaidAndComesBack(t *testing.T) {
	t.Parallel()
	b := launch(t)
	g := rtspcam.StartGStreamer(t)
	r := newRelay(t, g.Addr(rtspcam.Open))
	s := newSite(t, "rtsp://"+r.addr+"/baseline")
	p := b.open("camera-vanishes", s.link, pageOptions{})
	p.waitState("live", liveTimeout)
	before := p.rtc()

	r.cut()
	p.waitState("offline", liveTimeout)
	var says string
	p.eval("e2e.text()", &says)
	if !regexp.MustCompile(`(?i)offline since \d`).MatchString(says) || !strings.Contains(strings.ToLower(says), "retrying") {
		t.Errorf("the page says %q", says)
	}
	t.Logf("see %s", p.screenshot("camera-offline"))
	<-time.After(10 * time.Second) // long enough for the back-off to grow

	r.restore(t)
	p.waitState("live", recoverTimeout)
	p.waitFrames(25, liveTimeout)
	if after := p.rtc(); after.Connections != before.Connections {
		t.Error("the page connected again; the session had nothing wrong with it")
	}
}

func TestCamera_PasswordIsNowhereToBeRead(t *testing.T) {
	t.Parallel()
	b := launch(t)
	g := rtspcam.StartGStreamer(t)
	s := newSite(t, g.URLWithPassword(rtspcam.Digest, "baseline"))
	p := b.open("password", s.link, pageOptions{})
	p.waitState("live", liveTimeout)
	var html string
	p.eval("document.documentElement.outerHTML + e2e.text()", &html)
	log, _ := s.agent.log()
	for where, text := range map[string]string{"log": log, "page": html} {
		for _, leak := range []string{rtspcam.Password, url.QueryEscape(rtspcam.Password)} {
			if strings.Contains(text, leak) {
				t.Errorf("the %s shows the camera's password", where)
			}
		}
	}
	if !strings.Contains(log, "password") {
		t.Error("a password in the URL is not warned about")
	}
}
