package portmap

import (
	"net/netip"
	"slices"
)

// State is what became of one protocol.
type State string

// The states of a protocol.
const (
	Mapped   State = "mapped"    // the router mapped the port
	Refused  State = "refused"   // the router speaks it, and said no or something that makes no sense
	NoAnswer State = "no answer" // nothing there speaks it
	NotTried State = "not tried" // another protocol was enough, or nothing could be asked
)

// Report is what is known of port mapping in this network: plain data, also for
// people to read.
type Report struct {
	Gateway  netip.Addr `json:"gateway,omitzero"`  // the router that was asked
	Local    netip.Addr `json:"local,omitzero"`    // our address towards it
	External netip.Addr `json:"external,omitzero"` // the router's address towards the internet, as it says
	// DoubleNAT says that External is not an address of the internet, or that the
	// router says that it has none, as some do instead of telling a private one.
	DoubleNAT bool `json:"doubleNat"`
	// Protocols has one entry for each protocol, in the order tried.
	Protocols []ProtocolReport `json:"protocols"`
	// Problem is one sentence on why no port is mapped, or why the mapping is of no
	// use, and what to do about it. Empty when all is well or nothing was tried yet.
	Problem string `json:"problem,omitempty"`
}

// ProtocolReport is what became of one protocol.
type ProtocolReport struct {
	Protocol Protocol `json:"protocol"`
	State    State    `json:"state"`
	Detail   string   `json:"detail"` // one sentence
	// External is the UDP mapping's address and port, if State is Mapped.
	External netip.AddrPort `json:"external,omitzero"`
}

// emptyReport is the report before anything was tried.
func emptyReport(detail string) Report {
	var r Report
	for _, p := range []Protocol{PCP, NATPMP, UPnP} {
		r.Protocols = append(r.Protocols, ProtocolReport{Protocol: p, State: NotTried, Detail: detail})
	}
	return r
}

func (r Report) clone() Report {
	r.Protocols = slices.Clone(r.Protocols)
	return r
}

func (r Report) equal(s Report) bool {
	return r.Gateway == s.Gateway && r.Local == s.Local && r.External == s.External && r.DoubleNAT == s.DoubleNAT &&
		r.Problem == s.Problem && slices.Equal(r.Protocols, s.Protocols)
}

// set replaces the entry of a protocol.
func (r *Report) set(p ProtocolReport) {
	for i := range r.Protocols {
		if r.Protocols[i].Protocol == p.Protocol {
			r.Protocols[i] = p
		}
	}
}

// has reports whether a protocol is in a state.
func (r Report) has(s State) bool {
	return slices.ContainsFunc(r.Protocols, func(p ProtocolReport) bool { return p.State == s })
}
