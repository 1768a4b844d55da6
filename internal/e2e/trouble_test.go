package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// What is wrong with a camera reaches the person who looks at the page, as a
// sentence that says what to change, and never ends the agent.
func TestCamera_TroubleIsSaidInThePage(t *testing.T) {
	t.Parallel()
	b := launch(t)
	g := rtspcam.StartGStreamer(t)
	for _, tt := range []struct {
		name, camera, state, says string
	}{
		{"h265", g.URL(rtspcam.Open, "h265"), "unsupported", `H\.265`},
		{"b-frames", g.URL(rtspcam.Open, "bframes"), "live", `(?i)B-frame`},
		{"wrong-password", "rtsp://" + rtspcam.User + ":wrong@" + g.Addr(rtspcam.Digest) + "/baseline", "offline", `(?i)password`},
		{"garbage", "rtsp://" + rtspcam.StartListener(t, rtspcam.Garbage) + "/x", "offline", `(?i)offline since .*retrying`},
		{"off", "rtsp://127.0.0.1:1/x", "offline", `(?i)refused`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.during(t)
			s := newSite(t, tt.camera)
			p := b.open("trouble-"+tt.name, s.link, pageOptions{})
			defer p.close()
			p.waitState(tt.state, liveTimeout)
			said := regexp.MustCompile(tt.says)
			var text string
			for deadline := time.Now().Add(liveTimeout); ; {
				p.eval("e2e.text()", &text)
				if said.MatchString(text) {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("the page says %q, want %s; see %s", text, tt.says, p.screenshot("trouble-"+tt.name))
				}
				p.wait("new Promise((done) => setTimeout(done, 200, true))", time.Second, nil)
			}
			t.Logf("see %s", p.screenshot("trouble-"+tt.name))
			if log, _ := s.agent.log(); strings.Contains(log, "panic") {
				t.Errorf("the agent panicked:\n%s", log)
			}
		})
	}
}

// The picture changes its size in mid-stream, and the sound of a camera is
// heard: neither needs a new connection.
func TestCamera_SizeChangesAndSoundArrive(t *testing.T) {
	t.Parallel()
	b := launch(t)
	g := rtspcam.StartGStreamer(t)

	p := b.open("resize", newSite(t, g.URL(rtspcam.Open, "resize")).link, pageOptions{})
	p.waitState("live", liveTimeout)
	p.wait("e2e.rtc().then((r) => r.width === 640)", liveTimeout, nil)
	p.wait("e2e.rtc().then((r) => r.width === 320)", liveTimeout, nil)
	if got := p.rtc(); got.Connections != 1 {
		t.Errorf("%d connections", got.Connections)
	}
	p.close()

	for _, stream := range []string{"pcmu", "opus"} {
		p := b.open("sound-"+stream, newSite(t, g.URL(rtspcam.Open, stream)).link, pageOptions{})
		p.waitState("live", liveTimeout)
		p.press("m") // a page begins muted, and what is muted is not decoded
		p.wait("e2e.soundEnergy().then((e) => e > 0)", liveTimeout, nil)
		p.close()
	}
}
