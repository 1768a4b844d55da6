package natkernel

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/browser"
	"github.com/sightline-cam/sightline/internal/lab/netns"
)

// live is how long a page may take to show its picture on a busy machine.
const live = time.Minute

// pageCell is a page that shows a camera.
type pageCell struct {
	camera place
	lan    bool // the camera is at the viewer's own site
	want   outcome
	by     string // what the pair must have in it; empty: anything
}

// A browser finds the same ways as our own viewer. One browser for each place,
// one page for each camera.
func TestChromium(t *testing.T) {
	t.Parallel()
	browser.Need(t)
	for _, v := range []struct {
		at      string
		options netns.SiteOptions
		cells   []pageCell
	}{
		{"symmetric", netns.SiteOptions{Kind: netns.Symmetric}, []pageCell{
			{camera: place{kind: netns.FullCone}, want: direct},
			{camera: place{kind: netns.PortRestricted}, want: relayed, by: "over udp"},
			{camera: place{kind: netns.Symmetric, mapped: true}, want: direct},
		}},
		{"port-restricted", netns.SiteOptions{Kind: netns.PortRestricted}, []pageCell{
			{camera: place{kind: netns.PortRestricted}, want: direct},
			{camera: place{kind: netns.CGNAT}, want: direct},
			{camera: place{kind: netns.Blocked}, want: relayed},
			{lan: true, camera: place{kind: netns.PortRestricted}, want: direct},
		}},
		{"blocked", netns.SiteOptions{Kind: netns.Blocked}, []pageCell{
			{camera: place{kind: netns.Open}, want: direct, by: "/tcp"},
			{camera: place{kind: netns.PortRestricted, mapped: true}, want: direct, by: "/tcp"},
		}},
		{"only TCP 5349 (TLS)", onlyTCP(5349), []pageCell{{camera: place{kind: netns.PortRestricted}, want: relayed, by: "over tls"}}},
		{"only TCP 3478 (TCP)", onlyTCP(3478), []pageCell{{camera: place{kind: netns.PortRestricted}, want: relayed, by: "over tcp"}}},
		{"ipv6-only", netns.SiteOptions{Kind: netns.IPv6Only}, []pageCell{
			{camera: place{kind: netns.IPv6Only}, want: direct},
		}},
	} {
		t.Run(v.at, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, relayFlags()...)
			site, host := w.Site(t, v.options)
			agents := make([]*agent, len(v.cells))
			for i, c := range v.cells {
				at := host
				if c.lan {
					at = site.Host(t)
				} else {
					_, at = w.Site(t, c.camera.options())
				}
				if c.camera.mapped {
					at.Site.MapPorts(t, netns.PCP)
				}
				agents[i] = w.camera(t, c.camera, at)
			}
			b := w.browser(t, host)
			for i, c := range v.cells {
				agents[i].ready(t)
				w.watchPage(t, b, agents[i], c, v.at)
			}
		})
	}
}

// browsers bounds how many start at a time.
//
//nolint:gochecknoglobals // it is of the machine, not of a test
var browsers sync.Mutex

// browser starts a browser at a host.
func (w *world) browser(t *testing.T, h *netns.Host) *browser.Browser {
	t.Helper()
	browsers.Lock()
	defer browsers.Unlock()
	return browser.Launch(t, h.Enter("env", "HOME="+w.dir, "CHROMIUM_FLAGS=--ignore-certificate-errors-spki-list="+w.spki)...)
}

// pair makes a link by which the first who opens it becomes the agent's owner.
func (w *world) pair(t *testing.T, a *agent) string {
	t.Helper()
	out, err := w.command(t, a.host.Namespace, "pair", "--state-dir", a.state).CombinedOutput()
	if err != nil {
		t.Fatalf("pair: %v\n%s", err, out)
	}
	link := regexp.MustCompile(`https://\S+#peer=\S+&pair=\S+`).FindString(string(out))
	if link == "" {
		t.Fatalf("no link in:\n%s", out)
	}
	return link
}

// watchPage opens a page, makes it the camera's owner, and waits for the path
// that is expected.
func (w *world) watchPage(t *testing.T, b *browser.Browser, a *agent, c pageCell, at string) *browser.Page {
	t.Helper()
	p := b.Open(fmt.Sprintf("%s-from-%s", c.camera, at), w.pair(t, a), browser.PageOptions{})
	p.Text("pair-accept", live)
	p.Fill("pair-name", "Anna")
	start := time.Now()
	p.Click("pair-accept")
	p.WaitState("live", live)
	took := time.Since(start)
	p.WaitFrames(10, live)
	got := p.RTC()
	if deadline := time.Now().Add(giveUp); c.want == direct { // it may have begun on a relay
		for got.Relayed && time.Now().Before(deadline) {
			p.WaitFrames(10, live)
			got = p.RTC()
		}
	}
	name := direct
	if got.Relayed {
		name = relayed
	}
	by := got.Local + " - " + got.Remote
	if got.RelayProtocol != "" {
		by += " over " + got.RelayProtocol
	}
	fmt.Fprintln(t.Output(), cell{name: "chromium", camera: a, at: at, want: c.want}.line(result{got: name, pair: by, took: took}))
	if name != c.want || !strings.Contains(by, c.by) {
		t.Errorf("%s from %s: %s by %s, expected %s %s\nagent:\n%s\npage:\n%v", c.camera, at, name, by, c.want, c.by, a.Tail(15), b.Printed())
	}
	return p
}
