package natkernel

import (
	"fmt"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/browser"
	"github.com/sightline-cam/sightline/internal/lab/netns"
)

// gapMeter measures the longest time between two presented frames in the page.
const gapMeter = `(() => {
	const v = e2e.video();
	window.gap = { last: performance.now(), longest: 0 };
	const next = (now) => {
		window.gap.longest = Math.max(window.gap.longest, now - window.gap.last);
		window.gap.last = now;
		v.requestVideoFrameCallback(next);
	};
	v.requestVideoFrameCallback(next);
})()`

// A page plays on while addresses change, and when the signaling service ends for
// good; loaded again, it comes from the browser's own keeping and dials the camera
// itself.
func TestChromium_StaysAndComesBack(t *testing.T) {
	t.Parallel()
	browser.Need(t)
	w := newWorld(t, relayFlags()...)
	home, cam := w.Site(t, netns.SiteOptions{Kind: netns.FullCone})
	wifi, phone := w.Site(t, netns.SiteOptions{Kind: netns.PortRestricted})
	mobile, _ := w.Site(t, netns.SiteOptions{Kind: netns.CGNAT})
	a := w.camera(t, place{kind: netns.FullCone}, cam)
	b := w.browser(t, phone)
	a.ready(t)
	p := w.watchPage(t, b, a, pageCell{camera: a.place, want: direct}, string(netns.PortRestricted))
	for _, c := range []struct {
		what   string
		change func()
	}{
		{"the camera's router gets a new address", func() { home.Renumber(t) }},
		{"the viewer goes to another network", func() { phone.Move(t, mobile) }},
		{"and comes back", func() { phone.Move(t, wifi) }},
		{"the viewer's router gets a new address", func() { wifi.Renumber(t) }},
	} {
		p.WaitFrames(2*steady, live)
		p.Eval(gapMeter, nil)
		c.change()
		<-time.After(200 * time.Millisecond) // what was on its way has come
		p.WaitFrames(steady, live)
		var gap float64
		p.Eval("Math.max(window.gap.longest, performance.now() - window.gap.last)", &gap)
		fmt.Fprintf(t.Output(), "%-8s %-64s gap %.0f ms\n", "chromium", c.what, gap)
		if gap > float64(longestGap.Milliseconds()) {
			t.Errorf("%s: no picture for %.0f ms\n%s", c.what, gap, a.Tail(30))
		}
	}
	p.Reload() // and knows the camera's new address now
	p.WaitState("live", live)
	p.WaitFrames(steady, live)
	w.signal.Kill(t)
	p.WaitFrames(4*steady, live)
	start := time.Now()
	p.Reload()
	p.WaitState("live", live)
	p.WaitFrames(steady, live)
	got := p.RTC()
	name := direct
	if got.Relayed {
		name = relayed
	}
	fmt.Fprintln(t.Output(), cell{name: "chromium", camera: a, at: "no server any more", want: direct}.line(
		result{got: name, pair: got.Local + " - " + got.Remote, took: time.Since(start)}))
	if name != direct {
		t.Errorf("without a server: %s", name)
	}
}
