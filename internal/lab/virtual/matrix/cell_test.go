package matrix

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
	"github.com/sightline-cam/sightline/internal/peer"
)

// What a meeting comes to.
const (
	direct  = "direct"
	relayed = "relayed"
	failed  = "failed"
)

// together says whether camera and viewer share something on their way out.
type together string

const (
	apart   together = "apart"   // two networks
	sameLAN together = "one LAN" // and they reach each other there
	guests  together = "guests"  // one LAN that keeps its hosts apart
	homes   together = "homes"   // two homes of one carrier's NAT
)

// cell is one case of the matrix.
type cell struct {
	camera, viewer virtual.Kind
	where          together
	noHairpin      bool // of all routers
	mapping        bool // the camera's router maps the agent's port
	turn           bool // the viewer may use a TURN server, over UDP
	dead           int  // so many of the two STUN servers do not answer
}

// cells returns all of them. The kind of router between two peers in one network
// is the camera's. Whether routers hairpin shows only where the two are behind one.
func cells() (out []cell) {
	for _, turn := range []bool{false, true} {
		for _, mapping := range []bool{false, true} {
			for _, c := range virtual.Kinds() {
				if mapping && !translates(c) {
					continue
				}
				for _, v := range virtual.Kinds() {
					for _, no := range []bool{false, true} {
						out = append(out, cell{camera: c, viewer: v, where: apart, noHairpin: no, mapping: mapping, turn: turn})
					}
				}
				if !translates(c) {
					continue
				}
				for _, no := range []bool{false, true} {
					for _, where := range []together{sameLAN, guests, homes} {
						if where != homes || c == virtual.CGNAT {
							out = append(out, cell{camera: c, viewer: c, where: where, noHairpin: no, mapping: mapping, turn: turn})
						}
					}
				}
			}
		}
	}
	return out
}

func translates(k virtual.Kind) bool { return k != virtual.Public && k != virtual.IPv6 }

// expected is what must come of a cell.
func (c cell) expected() string {
	is := func(k virtual.Kind) bool { return c.camera == k || c.viewer == k }
	switch {
	case c.where == sameLAN:
		return direct // by their own addresses
	case is(virtual.Blocked):
		return failed // so is TURN over UDP; over TCP and TLS it is for a real kernel
	case is(virtual.IPv6):
		if c.camera == c.viewer {
			return direct
		}
		return failed // no address in common, and a relay with both is for a real kernel
	case c.meets():
		return direct
	case c.turn:
		return relayed
	}
	return failed
}

// meets reports whether packets can find a direct way through both networks.
func (c cell) meets() bool {
	if c.where != apart && c.noHairpin {
		return false // the router between them gives nothing back
	}
	if c.mapping && c.camera != virtual.CGNAT { // whose router's addresses are not public
		return true
	}
	// A symmetric router is seen with another port than the one that is known, so
	// the other one must let the whole address in.
	picky := func(k virtual.Kind) bool {
		return k == virtual.PortRestricted || k == virtual.CGNAT || k == virtual.Symmetric
	}
	return (c.camera != virtual.Symmetric || !picky(c.viewer)) && (c.viewer != virtual.Symmetric || !picky(c.camera))
}

func (c cell) String() string {
	s := fmt.Sprintf("%-18s %-18s %-8s", c.camera, c.viewer, c.where)
	for _, o := range []struct {
		on   bool
		name string
	}{{!c.noHairpin, "hairpin"}, {c.mapping, "mapping"}, {c.turn, "turn"}} {
		if !o.on {
			o.name = "-"
		}
		s += fmt.Sprintf(" %-7s", o.name)
	}
	return s
}

// name is for a subtest.
func (c cell) name() string { return strings.Join(strings.Fields(c.String()), " ") }

// outcome is what came of it.
type outcome struct {
	path, pair string
	took       time.Duration // until media arrived, from the offer
}

const (
	// cellDelay is the one-way delay in the matrix.
	cellDelay = 20 * time.Millisecond
	// cellPatience is how long a viewer tries. ICE gives up after 20 s.
	cellPatience = 30 * time.Second
)

// prepared is a cell with its agent up.
type prepared struct {
	*meeting
	home          *virtual.Network // the camera's
	stun, turn    *virtual.Host    // the servers
	viewerOptions peer.DialOptions
}

// prepare puts the two into their networks and starts the agent.
func (c cell) prepare(t *testing.T, oneWay time.Duration) *prepared {
	t.Helper()
	w := virtual.New(t, oneWay)
	o := virtual.NetworkOptions{NoHairpin: c.noHairpin, Isolated: c.where == guests}
	if c.camera == virtual.CGNAT && c.where != apart {
		o.Carrier = w.Carrier(virtual.NetworkOptions{NoHairpin: c.noHairpin})
	}
	p := &prepared{home: w.Network(c.camera, o), stun: w.Server(), turn: w.Server()}
	other := p.home
	if c.where == apart || c.where == homes {
		other = w.Network(c.viewer, o)
	}
	p.meeting = &meeting{t: t, world: w, camera: p.home.Host(), viewer: other.Host(), signalDelay: oneWay}
	var external []netip.AddrPort
	if c.mapping {
		a := p.home.Map(p.camera, mediaPort)
		if c.camera != virtual.CGNAT { // the agent sees that the address is not public, and keeps it to itself
			external = append(external, a)
		}
	}
	one, two := server(p.stun), server(p.turn)
	if c.dead < 2 {
		p.turn.ServeTURN()
	}
	if c.dead < 1 {
		p.stun.ServeSTUN()
	}
	p.openCamera(peer.EndpointOptions{STUN: []string{one, two}, External: external})
	p.viewerOptions.ICEServers = []peer.ICEServer{{URLs: []string{"stun:" + one, "stun:" + two}}}
	if c.turn {
		p.viewerOptions.ICEServers = append(p.viewerOptions.ICEServers, peer.ICEServer{
			URLs: []string{"turn:" + two + "?transport=udp"}, Username: virtual.TURNUser, Credential: virtual.TURNPassword,
		})
	}
	elapse(time.Second) // an agent has been up for a while
	return p
}

// redial ends what there is of a session and connects anew, as viewers do.
func (p *prepared) redial() {
	p.world.Cut() // see meeting.close
	p.closeEnds()
	p.world.Mend()
	ctx, cancel := context.WithTimeout(context.Background(), cellPatience)
	defer cancel()
	_ = p.dial(ctx, p.viewerOptions) // perhaps the next time
}

// play prepares a cell and lets the viewer watch for a while.
func (c cell) play(t *testing.T, oneWay time.Duration) *prepared {
	t.Helper()
	p := c.prepare(t, oneWay)
	p.check(p.dial(context.Background(), p.viewerOptions))
	p.settle()
	if !p.plays() {
		t.Fatalf("no picture over %s", p.pair())
	}
	return p
}

// server is where a host serves STUN and TURN.
func server(h *virtual.Host) string { return netip.AddrPortFrom(h.Addr, virtual.ServerPort).String() }

// run lets the two meet.
func (c cell) run(t *testing.T) outcome {
	t.Helper()
	p := c.prepare(t, cellDelay)
	ctx, cancel := context.WithTimeout(context.Background(), cellPatience)
	defer cancel()
	err := p.dial(ctx, p.viewerOptions)
	out := outcome{path: failed}
	if err == nil {
		p.settle()
		out.path, out.pair, out.took = p.path(), p.pair(), p.first()
		if !p.plays() {
			out.path, out.pair = failed, "no media"
		}
	}
	p.close()
	return out
}

const (
	// settleTime is how long media should have arrived over a path.
	settleTime = time.Second
	// upgradeTime is how long a relay may be in use where there is a direct path.
	upgradeTime = 10 * time.Second
)

// settle waits until there is a direct path that stays, or no hope for one, and
// media.
func (m *meeting) settle() {
	good := 0
	for start := time.Now(); good < 2 && time.Since(start) < upgradeTime; {
		elapse(settleTime)
		if good++; m.path() != direct {
			good = 0
		}
	}
}
