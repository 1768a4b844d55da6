package peer

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/internal/nat/portmap"
)

// ICEServer is a STUN or TURN server, as RTCIceServer has it.
type ICEServer struct {
	URLs                 []string
	Username, Credential string
}

// Network is what an endpoint knows of its place in the network.
type Network struct {
	UDP        nat.UDP
	Mapping    nat.Behaviour
	Candidates []nat.Candidate
	// PortMapping is what the router said; nil if it was not asked.
	PortMapping *portmap.Report
}

// Fingerprint is that of the certificate that viewers see, as in a description:
// "sha-256 AA:BB:…" (RFC 8122 §5).
func (e *Endpoint) Fingerprint() string {
	sum := sha256.Sum256(e.options.Certificate.Certificate[0])
	return "sha-256 " + hexPairs(sum)
}

// hexPairs writes a hash as descriptions do.
func hexPairs(sum [sha256.Size]byte) string {
	var out strings.Builder
	for i, b := range sum {
		if i > 0 {
			out.WriteByte(':')
		}
		fmt.Fprintf(&out, "%02X", b)
	}
	return out.String()
}

// Network returns what is known now.
func (e *Endpoint) Network() Network {
	st := e.port.watcher.State()
	n := Network{UDP: st.UDP, Mapping: st.Mapping, Candidates: e.port.candidates()}
	if e.port.mapper != nil {
		r := e.port.mapper.Report()
		n.PortMapping = &r
	}
	return n
}

// SetSTUN replaces the servers that tell how the port looks from outside:
// "host:port", at most nat.MaxServers.
func (e *Endpoint) SetSTUN(servers []string) { e.port.watcher.SetServers(servers) }

// SetRelays sets the TURN servers that sessions use from now on where no UDP gets
// out. Elsewhere the viewer's relay is enough.
func (e *Endpoint) SetRelays(servers []ICEServer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.relays = pionServers(servers)
}

// relaysNeeded are the TURN servers for a new session.
func (e *Endpoint) relaysNeeded() []webrtc.ICEServer {
	if e.port.watcher.State().UDP != nat.UDPBlocked {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.relays
}

// pionServers keeps the relays: STUN is the port's own business.
func pionServers(servers []ICEServer) (out []webrtc.ICEServer) {
	for _, s := range servers {
		urls := slices.DeleteFunc(slices.Clone(s.URLs), func(u string) bool { return !strings.HasPrefix(u, "turn") })
		if len(urls) > 0 {
			out = append(out, webrtc.ICEServer{URLs: urls, Username: s.Username, Credential: s.Credential})
		}
	}
	return out
}

// stunServers returns the "host:port" of the STUN URLs (RFC 7064).
func stunServers(servers []ICEServer) (out []string) {
	for _, s := range servers {
		out = append(out, STUNHosts(s.URLs)...)
	}
	return out
}

// STUNHosts returns "host:port" of the STUN URLs among some, with the standard
// port where there is none.
func STUNHosts(urls []string) (out []string) {
	for _, u := range urls {
		host, ok := strings.CutPrefix(u, "stun:")
		if !ok {
			continue
		}
		host, _, _ = strings.Cut(host, "?")
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), "3478")
		}
		out = append(out, host)
	}
	return out
}

// offers reports whether an address is one that the port offers.
func (p *port) offers(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	return ok && slices.Contains(p.addresses(), a.Unmap())
}

// networkChanged tells the sessions. moved says that what was open may be dead.
func (e *Endpoint) networkChanged(moved bool) {
	e.mu.Lock()
	live := make([]*Session, 0, len(e.live))
	for s := range e.live {
		live = append(live, s)
	}
	e.mu.Unlock()
	for _, s := range live {
		s.networkChanged(moved)
	}
	if e.options.OnNetwork != nil {
		e.options.OnNetwork()
	}
}
