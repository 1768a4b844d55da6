//go:build linux

package e2e

import (
	"context"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/netns"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// hasTicket reads the page's address book: whether the agent was heard of how to
// be dialled directly.
const hasTicket = `new Promise((resolve) => {
	const request = indexedDB.open('sightline');
	request.onerror = () => resolve(false);
	request.onsuccess = () => {
		const db = request.result;
		if (!db.objectStoreNames.contains('paths')) return resolve(false);
		const all = db.transaction('paths').objectStore('paths').getAll();
		all.onsuccess = () => { db.close(); resolve(all.result.some(({ ticket }) => ticket)); };
	};
})`

// keptByWorker is whether the browser can open the page without its server.
const keptByWorker = `navigator.serviceWorker.getRegistration().then((r) => Boolean(r?.active))`

// With the signaling service dead for good, which has also served the page, a
// browser that was there before opens the page from what it has kept, dials the
// agent at the address that it remembers, and watches.
func TestPage_OpensAndDialsDirectlyWhenEverythingElseIsDead(t *testing.T) {
	t.Parallel()
	b := launch(t)
	s := newSite(t, rtspcam.StartGStreamer(t).URL(rtspcam.Open, "baseline"))
	p := b.open("direct", s.link, pageOptions{})
	p.waitState("live", liveTimeout)
	p.wait(hasTicket, liveTimeout, nil)
	p.wait(keptByWorker, liveTimeout, nil)

	s.signal.kill(t)
	p.eval("void setTimeout(() => location.reload())", nil)
	p.wait("performance.getEntriesByType('navigation')[0]?.type === 'reload' && e2e.states().includes('live')", recoverTimeout, nil)
	p.waitFrames(50, liveTimeout)
	t.Logf("see %s", p.screenshot("direct-dial"))
	if got := p.rtc(); got.State != "connected" {
		t.Errorf("the session is %+v", got)
	}

	p.press("s")
	p.wait("e2e.text().includes('Why')", liveTimeout, nil)
	t.Logf("see %s", p.screenshot("direct-dial-why"))
}

// world is an internet with a signaling service that also sees addresses and
// relays, and an agent somewhere in it.
type world struct {
	*netns.Lab
	host  *netns.Host // the agent's
	agent *process
	link  string // for pairing, behind "/#"
}

// service is where the signaling service of a world is.
const service = netns.ServerAddress + ":8787"

// newWorld makes an internet, and an agent at a host of the kind.
func newWorld(t *testing.T, kind netns.Kind) *world {
	t.Helper()
	w := &world{Lab: netns.New(t)}
	sightline := binary(t)
	inside := func(n *netns.Namespace, args ...string) *process {
		command := n.Enter(append([]string{sightline}, args...)...)
		return start(t, command[0], command[1:]...)
	}
	servers := netns.ServerAddress + ":3478," + netns.SecondServerAddress + ":3478"
	inside(w.Servers, "signal", "--listen", service, "--insecure-http", "--public-address", netns.ServerAddress, "--stun", servers, "--turn", "--turn-agents", "any",
		"--state-dir", t.TempDir()).waitFor(t, "signaling server is at", startTimeout)
	picture, err := rtspcam.Picture(testpattern.Options{Width: 640, Height: 360})
	if err != nil {
		t.Fatal(err)
	}
	_, host := w.Site(t, netns.SiteOptions{Kind: kind})
	w.host = host
	l, err := host.Listen(t.Context(), anyPort)
	if err != nil {
		t.Fatal(err)
	}
	camera := picture.Serve(t, l)
	state := filepath.Join(t.TempDir(), "state")
	w.agent = inside(host.Namespace, "camera", "--state-dir", state, "--signal", "ws://"+forward(t, host.Namespace), "--udp", ":0",
		"--name", "cam", camera)
	w.agent.waitFor(t, "camera is live", startTimeout)
	command := host.Enter(sightline, "pair", "--state-dir", state)
	out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("pair: %v\n%s", err, out)
	}
	_, w.link, _ = strings.Cut(linkIn(t, string(out)), "/#")
	return w
}

// forward makes the signaling service reachable by loopback, where alone browsers
// believe in a page without TLS. What it forwards takes the namespace's own way.
func forward(t *testing.T, n *netns.Namespace) (address string) {
	t.Helper()
	l, err := n.Listen(t.Context(), anyPort)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		wg.Wait()
	})
	pass := func(conn net.Conn) {
		defer conn.Close()
		var out net.Conn
		err := n.Do(func() (err error) {
			d := net.Dialer{Timeout: startTimeout}
			out, err = d.DialContext(ctx, "tcp", service)
			return err
		})
		if err != nil {
			return
		}
		defer out.Close()
		stop := context.AfterFunc(ctx, func() { _, _ = conn.Close(), out.Close() })
		defer stop()
		wg.Go(func() {
			_, _ = io.Copy(out, conn)
			_ = out.Close()
		})
		_, _ = io.Copy(conn, out)
	}
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { pass(conn) })
		}
	})
	return l.Addr().String()
}

// largestGap follows the frames of the picture; gapMs is the longest time between
// two.
const largestGap = `(() => {
	const video = e2e.video();
	let last = performance.now();
	window.gapMs = 0;
	const next = () => {
		if (video !== e2e.video()) return;
		const now = performance.now();
		window.gapMs = Math.max(window.gapMs, now - last);
		last = now;
		video.requestVideoFrameCallback(next);
	};
	video.requestVideoFrameCallback(next);
})()`

// A phone that leaves one network for another goes on watching, and its page says
// why the path is what it is. So it does when the agent's network changes.
func TestPage_FollowsItsNetworkAndTellsThePath(t *testing.T) {
	t.Parallel()
	const (
		relayed = "e2e.text().includes('Both networks change the port for every destination.')"
		direct  = "e2e.text().includes('The two have found a way through their routers.')"
	)
	w := newWorld(t, netns.Symmetric)
	home, phone := w.Site(t, netns.SiteOptions{Kind: netns.Symmetric})
	abroad, _ := w.Site(t, netns.SiteOptions{Kind: netns.FullCone})
	b := launchIn(t, phone.Enter()...)
	p := b.open("phone", "http://"+forward(t, phone.Namespace)+"/#"+w.link, pageOptions{})
	p.text("pair-accept", liveTimeout)
	p.fill("pair-name", "Anna")
	p.click("pair-accept")
	p.waitState("live", liveTimeout)
	p.waitFrames(50, liveTimeout)
	p.press("s")
	p.wait(relayed, liveTimeout, nil)
	t.Logf("see %s", p.screenshot("path-relayed"))

	// after waits for a path and a picture, and says how long that paused.
	after := func(what string, change func(), path string) {
		t.Helper()
		p.eval(largestGap, nil)
		change()
		p.wait(path, recoverTimeout, nil)
		p.waitFrames(50, liveTimeout)
		var gap float64
		p.eval("gapMs", &gap)
		t.Logf("%s: the picture paused for %.0f ms", what, gap)
	}
	sessions := p.rtc().Connections
	after("to a better network", func() { phone.Move(t, abroad) }, direct)
	t.Logf("see %s", p.screenshot("path-direct"))
	if got := p.rtc(); got.Connections != sessions {
		t.Errorf("the session was made anew although ICE can start again: %+v", got)
	}
	after("to a worse network", func() { phone.Move(t, home) }, relayed)

	sessions = p.rtc().Connections
	after("the agent's network", func() {
		// An address more breaks nothing; one that goes may be the one in use.
		for _, change := range []string{"add", "del"} {
			command := w.host.Enter("ip", "addr", change, "192.168.1.77/24", "dev", "eth0")
			if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%s an address: %v: %s", change, err, out)
			}
			p.waitFrames(75, liveTimeout) // three seconds, in which the agent looks several times
		}
		asked := func() bool {
			return strings.Contains(strings.Join(b.printed(), "\n"), "other paths are checked: the agent asks for it")
		}
		for deadline := time.Now().Add(recoverTimeout); !asked(); p.waitFrames(5, liveTimeout) {
			if time.Now().After(deadline) {
				t.Fatal("the agent did not ask for a restart")
			}
		}
	}, relayed)
	if got := p.rtc(); got.Connections != sessions {
		t.Errorf("the session was made anew although ICE can start again: %+v", got)
	}
}
