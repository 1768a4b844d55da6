//go:build linux

package e2e

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/netns"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// From another network, behind a router of its own, an owner goes back in time at
// a recorder behind another: no port of it is open to anybody, and no relay helps.
func TestPlayback_ThroughTwoRouters(t *testing.T) {
	t.Parallel()
	w := &world{Lab: netns.New(t)}
	sightline := binary(t)
	inside := func(n *netns.Namespace, args ...string) *process {
		command := n.Enter(append([]string{sightline}, args...)...)
		return start(t, command[0], command[1:]...)
	}
	inside(w.Servers, "signal", "--listen", service, "--insecure-http", "--public-address", netns.ServerAddress,
		"--stun", netns.ServerAddress+":3478,"+netns.SecondServerAddress+":3478", "--state-dir", t.TempDir()).
		waitFor(t, "signaling server is at", startTimeout)
	picture, err := rtspcam.Picture(testpattern.Options{Width: 640, Height: 360, GOP: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	_, host := w.Site(t, netns.SiteOptions{Kind: netns.PortRestricted})
	_, phone := w.Site(t, netns.SiteOptions{Kind: netns.PortRestricted})
	l, err := host.Listen(t.Context(), anyPort)
	if err != nil {
		t.Fatal(err)
	}
	arguments := recorderArguments(t, forward(t, host.Namespace), picture.Serve(t, l))
	inside(host.Namespace, append(arguments, "--udp", ":0")...).waitFor(t, "camera is live", startTimeout)
	command := host.Enter(sightline, "pair", "--state-dir", arguments[2])
	out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("pair: %v\n%s", err, out)
	}
	_, w.link, _ = strings.Cut(linkIn(t, string(out)), "/#")

	b := launchIn(t, phone.Enter()...)
	p := b.open("abroad", "http://"+forward(t, phone.Namespace)+"/#"+w.link, pageOptions{Width: 390, Height: 844, Touch: true, Dark: true})
	p.text("pair-accept", liveTimeout)
	p.fill("pair-name", "Anna")
	p.click("pair-accept")
	p.waitState("live", liveTimeout)
	known := p.recorded(12 * time.Second)
	p.click("toggle") // what is chosen then is shown, and does not run away
	p.stamped()
	want := known.Ranges[0][0] + 4_000
	p.arrives(t, "a tap on the timeline", want, func(ms float64) {
		p.do("touch", map[string]any{"frames": [][]point{{p.where(ms)}}})
	})
	if got := p.rtc(); got.Relayed {
		t.Errorf("the session is relayed: %+v", got)
	}
	// An owner may pause the recording, and sees that it is.
	p.click("privacy")
	p.do("click", map[string]any{"selector": "[data-testid=privacy-menu] .menu-item"})
	p.click("go-live")
	p.wait("e2e.all('[data-testid=paused]')[0]?.textContent.includes('Recording paused until')", liveTimeout, nil)
	t.Logf("see %s", p.screenshot("playback-abroad"))
	p.sane(t)
	quiet(t, b)
}
