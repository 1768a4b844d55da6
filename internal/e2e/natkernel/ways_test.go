package natkernel

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/netns"
)

// relayFlags make the signaling service run a relay for every agent.
func relayFlags() []string {
	return []string{"--turn", "--turn-agents", "any", "--turn-tls", ":5349"}
}

// onlyTCP is a place that lets out TCP to some ports of the servers, and no UDP.
func onlyTCP(ports ...int) netns.SiteOptions {
	return netns.SiteOptions{Kind: netns.Blocked, TCP: append(ports, 443)}
}

// A viewer whose network lets out nothing but TCP, and perhaps only TLS, gets its
// picture by our relay or by coturn, which has the same secret.
func TestRelay_OverTCPAndTLS(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"ours", "coturn"} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			w := newWorldWithRelay(t, server)
			hosts := w.Sites(t, netns.SiteOptions{Kind: netns.PortRestricted}, netns.SiteOptions{Kind: netns.Symmetric}, onlyTCP(3478), onlyTCP(5349), netns.SiteOptions{Kind: netns.Blocked})
			camera := w.camera(t, place{kind: netns.PortRestricted}, hosts[0])
			blocked := w.camera(t, place{kind: netns.Blocked}, hosts[4])
			camera.ready(t)
			blocked.ready(t)
			states := w.viewers(t, 5)
			at := func(kind string, i int, a *agent) cell {
				return cell{name: server, camera: a, at: kind, host: hosts[i], state: states[i], want: relayed}
			}
			table(t, w, []cell{
				at("symmetric (UDP)", 1, camera), at("only TCP 3478 (TCP)", 2, camera), at("only TCP 5349 (TLS)", 3, camera),
				{name: server, camera: blocked, at: "symmetric", host: hosts[1], state: states[0], want: relayed},
				{name: server, camera: blocked, at: "only TCP 5349 (TLS)", host: hosts[3], state: states[4], want: relayed},
			})
		})
	}
}

// newWorldWithRelay makes an internet with our own relay, or with coturn.
func newWorldWithRelay(t *testing.T, server string) *world {
	t.Helper()
	if server == "ours" {
		return newWorld(t, relayFlags()...)
	}
	w := newWorldWithout(t)
	const secret = "a-secret-that-two-servers-share"
	file := filepath.Join(w.dir, "turn-secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Coturn(t, netns.CoturnOptions{Secret: secret, Certificate: w.certificate, Key: w.key})
	w.startSignal(t, "--stun", "stun:"+netns.ServerName+":3478", "--turn-secret-file", file, "--turn-agents", "any",
		"--turn-url", "turn:"+netns.ServerName+":3478", "--turn-url", "turn:"+netns.ServerName+":3478?transport=tcp",
		"--turn-url", "turns:"+netns.ServerName+":5349?transport=tcp")
	return w
}

// Each of the three protocols makes the router let viewers in who could not meet
// the camera halfway.
func TestMapping_ByEachProtocol(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, viewer := w.Site(t, netns.SiteOptions{Kind: netns.Symmetric})
	var cells []cell
	for i, by := range []netns.Mapping{netns.PCP, netns.NATPMP, netns.UPnP} {
		site, host := w.Site(t, netns.SiteOptions{Kind: netns.Symmetric})
		site.MapPorts(t, by)
		a := w.camera(t, place{kind: netns.Symmetric, mapped: true}, host)
		a.WaitFor(t, `a port is mapped.*protocol=`+string(by), patience)
		cells = append(cells, cell{name: string(by), camera: a, at: "symmetric", host: viewer, state: w.viewers(t, 3)[i], want: direct})
	}
	for _, c := range cells {
		c.camera.ready(t)
	}
	table(t, w, cells)
}

// Behind one router the LAN is the way, whatever the router does. Behind one
// carrier's router it is hairpin.
func TestOneRouter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, relayFlags()...)
	var cells []cell
	for _, p := range places() {
		if p.kind == netns.Open {
			continue
		}
		site, host := w.Site(t, p.options())
		cells = append(cells, cell{name: "one LAN", camera: w.camera(t, p, host), at: "the same router", host: site.Host(t), want: direct})
		if p.kind != netns.CGNAT {
			continue
		}
		_, neighbour := w.Site(t, netns.SiteOptions{Kind: netns.CGNAT, Carrier: site})
		want := relayed
		if p.hairpin {
			want = direct
		}
		cells = append(cells, cell{name: "carrier", camera: cells[len(cells)-1].camera, at: "the same carrier", host: neighbour, want: want})
	}
	for i, dir := range w.viewers(t, len(cells)) {
		cells[i].state = dir
		cells[i].camera.ready(t)
	}
	table(t, w, cells)
}
