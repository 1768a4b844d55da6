package netcheck

import "github.com/sightline-cam/sightline/internal/nat"

// Verdict says in one sentence who can reach this device.
func (r *Report) Verdict() string {
	relayUDP, relayTCP := r.relayed("udp", "tcp", "tls"), r.relayed("tcp", "tls")
	open := r.mapped() || r.IPv4.Mapping.Kind == nat.EndpointIndependent &&
		(r.IPv4.Filtering.Kind == nat.EndpointIndependent || r.IPv4.Filtering.Kind == nat.AddressDependent)
	symmetric := r.IPv4.Mapping.Kind == nat.AddressDependent || r.IPv4.Mapping.Kind == nat.AddressPortDependent
	switch {
	case r.UDP == nat.UDPBlocked && relayTCP:
		return "Viewers elsewhere reach this device through the relay only, since UDP is blocked here."
	case r.UDP == nat.UDPBlocked:
		return "Viewers elsewhere cannot reach this device: UDP is blocked here, and there is no relay."
	case r.UDP == nat.UDPUnknown && len(r.STUN) == 0:
		return "How this device can be reached from elsewhere was not examined: no server to ask is known."
	case r.UDP == nat.UDPUnknown:
		return "How this device can be reached from elsewhere is not known: no server answered."
	case r.homely():
		return "Viewers in this network reach this device directly. How it can be reached from elsewhere was not examined: the STUN server is in this network too."
	case open && relayUDP:
		return "Viewers who can send UDP reach this device directly, and all others through the relay."
	case open:
		return "Every viewer who can send UDP reaches this device directly."
	case relayUDP && symmetric:
		return "Some viewers reach this device directly, and all others through the relay."
	case relayUDP:
		return "Most viewers reach this device directly, and all others through the relay."
	case len(r.IPv4.Public) == 0 && len(r.IPv6.Public) > 0:
		return "Viewers with IPv6 reach this device directly; others cannot, and there is no relay."
	case symmetric:
		return "Few viewers elsewhere reach this device: those with an open router directly, the others not at all, since there is no relay."
	}
	return "Most viewers reach this device directly; those behind strict routers cannot, and there is no relay."
}
