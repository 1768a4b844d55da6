package agent

import (
	"net/http"

	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// getICE answers GET /v1/ice: the servers that help a viewer to reach the agent
// the next time.
func (a *Agent) getICE(w http.ResponseWriter, r *http.Request) {
	var servers []signaling.ICEServer
	if s := sessionOf(r); s != nil {
		servers = a.ice.within(s.relays)
	} else {
		servers = a.ice.forViewer() // at the device itself
	}
	if servers == nil {
		servers = []signaling.ICEServer{}
	}
	writeJSON(w, http.StatusOK, struct {
		Servers []signaling.ICEServer `json:"servers"`
	}{servers})
}

// networkView is what GET /v1/network shows.
type networkView struct {
	UDP         nat.UDP         `json:"udp"`
	Mapping     nat.Behaviour   `json:"mapping"`
	Candidates  []candidateView `json:"candidates"`
	PortMapping portMappingView `json:"portMapping"`
	// Sessions is for those at the device only.
	Sessions []pathView `json:"sessions,omitempty"`
}

type candidateView struct {
	Kind     nat.Kind `json:"kind"`
	Address  string   `json:"address"`
	Protocol string   `json:"protocol"`
	By       string   `json:"by"`
}

type portMappingView struct {
	Protocol  string `json:"protocol"` // empty: none is mapped
	External  string `json:"external"`
	DoubleNAT bool   `json:"doubleNat"`
	Problem   string `json:"problem"`
}

// pathView is one session's path, and everything that was tried.
type pathView struct {
	Peer       string           `json:"peer"`
	Name       string           `json:"name"`
	Path       string           `json:"path"`
	Local      string           `json:"local"`
	Remote     string           `json:"remote"`
	LocalKind  string           `json:"localKind"`
	RemoteKind string           `json:"remoteKind"`
	RTTMs      float64          `json:"rttMs"`
	Why        string           `json:"why"`
	Pairs      []peer.PairStats `json:"pairs"`
}

// getNetwork answers GET /v1/network: the agent's place in the network, by which
// a page can say why it is relayed. At the console, the paths of all viewers too.
func (a *Agent) getNetwork(w http.ResponseWriter, r *http.Request) {
	p := a.publisher.Load()
	if p == nil {
		a.fail(w, offerError(peer.ErrBusy))
		return
	}
	n := (*p).Network()
	v := networkView{UDP: n.UDP, Mapping: n.Mapping, Candidates: []candidateView{}}
	for _, c := range n.Candidates {
		v.Candidates = append(v.Candidates, candidateView{c.Kind, c.Address.String(), c.Transport, c.By})
		if c.Kind == nat.Mapped && c.Transport == "udp" && v.PortMapping.Protocol == "" {
			v.PortMapping.Protocol, v.PortMapping.External = c.By, c.Address.String()
		}
	}
	if n.PortMapping != nil {
		v.PortMapping.DoubleNAT, v.PortMapping.Problem = n.PortMapping.DoubleNAT, n.PortMapping.Problem
	}
	if sessionOf(r) == nil {
		v.Sessions = a.paths(n)
	}
	writeJSON(w, http.StatusOK, v)
}

func (a *Agent) paths(n peer.Network) []pathView {
	out := []pathView{}
	for _, s := range a.sessions.list() {
		st := s.media.Stats()
		p := pathView{
			Peer: string(s.key.viewer), Path: st.Path, Local: st.Local, Remote: st.Remote, LocalKind: st.LocalKind, RemoteKind: st.RemoteKind,
			RTTMs: st.RTTMs, Why: why(st, n), Pairs: s.media.Pairs(),
		}
		if who := s.principal.Load(); who != nil {
			p.Name = who.Name
		}
		out = append(out, p)
	}
	return out
}

// why says in a sentence why a path is what it is, as far as this side can tell.
func why(st peer.Stats, n peer.Network) string {
	switch {
	case !st.Connected:
		return "No path has worked so far."
	case st.Path == "relayed" && n.UDP == nat.UDPBlocked:
		return "Relayed: this network lets no UDP out."
	case st.Path == "relayed" && n.Mapping == nat.AddressPortDependent:
		return "Relayed: this network uses another port for every destination, and the viewer's network lets in only those it knows."
	case st.Path == "relayed":
		return "Relayed: no direct path answered. The viewer's network blocks UDP or changes the port for every destination."
	case st.LocalKind == "tcp":
		return "Direct by TCP: the viewer's network lets no UDP through."
	}
	return "Direct: the first path that worked, and no better one answered."
}
