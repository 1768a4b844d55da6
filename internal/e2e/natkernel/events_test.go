package natkernel

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/netns"
)

// longestGap is how long the picture may stand still on a busy machine when
// addresses change: less than until the session is given up, after 30 s, and another
// one begun. docs/performance.md has the figures of a quiet one.
const longestGap = 25 * time.Second

// steady is how many pieces of video are a stream that runs again.
const steady = 25

// While the picture plays, the phone goes from the Wi-Fi to the mobile network
// and back, and providers give both homes other addresses. It plays on.
func TestAddressChange_WhilePlaying(t *testing.T) {
	t.Parallel()
	w := newWorld(t, relayFlags()...)
	home, cam := w.Site(t, netns.SiteOptions{Kind: netns.FullCone})
	wifi, phone := w.Site(t, netns.SiteOptions{Kind: netns.PortRestricted})
	mobile, _ := w.Site(t, netns.SiteOptions{Kind: netns.CGNAT})
	a := w.camera(t, place{kind: netns.FullCone}, cam)
	a.ready(t)
	p := w.play(t, phone, a.link, "--state-dir", w.viewers(t, 1)[0])
	p.waitVideo(t, steady, time.Time{}, patience)
	for _, c := range []struct {
		what   string
		change func()
	}{
		{"the viewer goes to another network", func() { phone.Move(t, mobile) }},
		{"and comes back", func() { phone.Move(t, wifi) }},
		{"the viewer's router gets a new address", func() { wifi.Renumber(t) }},
		{"and another one", func() { wifi.Renumber(t) }},
		{"the camera's router gets a new address", func() { home.Renumber(t) }},
	} {
		<-time.After(2 * time.Second) // it is a stream again
		at := time.Now()
		c.change()
		<-time.After(200 * time.Millisecond) // what was on its way has come
		p.waitVideo(t, steady, time.Now(), patience)
		gap := p.gap(at)
		fmt.Fprintf(t.Output(), "%-8s %-64s gap %d ms, %s\n", "change", c.what, gap.Milliseconds(), p.path())
		if gap > longestGap {
			t.Errorf("%s: no picture for %v\nviewer:\n%s\nagent:\n%s", c.what, gap, p.Tail(30), a.Tail(30))
		}
	}
}

// The signaling service, and the relay with it, ends for good. Who watches does
// not notice, and who was there once comes back without.
func TestSignaling_EndsForGood(t *testing.T) {
	t.Parallel()
	for _, p := range []place{{kind: netns.FullCone}, {kind: netns.PortRestricted, mapped: true}, {kind: netns.Open}, {kind: netns.IPv6Only}} {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			at := netns.SiteOptions{Kind: netns.Symmetric}
			if p.kind == netns.IPv6Only {
				at.Kind = netns.IPv6Only
			}
			hosts := w.Sites(t, p.options(), at)
			if p.mapped {
				hosts[0].Site.MapPorts(t, netns.PCP)
			}
			a := w.camera(t, p, hosts[0])
			a.ready(t)
			state := w.viewers(t, 1)[0]
			playing := w.play(t, hosts[1], a.link, "--state-dir", state)
			playing.waitVideo(t, 4*steady, time.Time{}, patience)

			w.signal.Kill(t)
			playing.waitVideo(t, 4*steady, time.Now(), patience)
			playing.Stop(t)
			if p.kind == netns.IPv6Only {
				return // its firewall lets in nobody who was not asked for
			}
			table(t, w, []cell{{name: "dead", camera: a, at: string(at.Kind), host: hosts[1], state: state, want: direct}})
		})
	}
}

// Without any server, in a LAN that has no internet, the camera is found by
// multicast DNS.
func TestLAN_WithoutAnyServer(t *testing.T) {
	t.Parallel()
	w := newWorldWithout(t)
	site, cam := w.Site(t, netns.SiteOptions{Kind: netns.PortRestricted})
	viewer := site.Host(t)
	l, err := cam.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	states := w.viewers(t, 1)
	state := filepath.Join(t.TempDir(), "state")
	a := &agent{place: place{kind: netns.PortRestricted}, host: cam, state: state}
	a.Program = w.start(t, cam.Namespace, "camera", "--state-dir", state, "--allow", w.allow, "--name", "cam", w.picture.Serve(t, l))
	a.link = a.WaitFor(t, `#peer=(\w+)`, patience)[1]
	w.signal = a.Program
	table(t, w, []cell{{name: "mdns", camera: a, at: "the same LAN", host: viewer, state: states[0], want: direct}})
}
