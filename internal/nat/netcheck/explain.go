package netcheck

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/nat/portmap"
)

// Explain says what was found out about the network, in the order in which it
// matters. The signaling service is left to ExplainSignal.
func (r *Report) Explain() []Finding {
	if r.Problem != "" {
		return []Finding{{Problem, "Network", sentence(r.Problem), ""}}
	}
	out := []Finding{r.explainUDP(), r.explainAddress()}
	if r.UDP == UDPOpen && len(r.IPv4.Public) > 0 {
		out = append(out, r.explainRouter())
	}
	if r.PortMapping != nil {
		out = append(out, r.explainPortMapping())
	}
	if r.IPv4.NAT == Yes && r.IPv4.Hairpin != Undecided {
		out = append(out, r.explainHairpin())
	}
	out = append(out, r.explainIPv6())
	for _, s := range r.STUN {
		if s.Problem != "" && r.UDP != UDPBlocked {
			out = append(out, Finding{Note, "STUN server", fmt.Sprintf("%s: %s.", s.name(), s.Problem), ""})
		}
	}
	for i := range r.Relays {
		out = append(out, r.Relays[i].explain(r.UDP))
	}
	if len(r.Relays) == 0 {
		out = append(out, Finding{Note, "Relay", "None is known. What cannot go directly does not go at all.",
			"Start the signaling service with --turn, and enrol this agent there."})
	}
	return out
}

// name returns the server as a person named it, and which of its addresses.
func (s *STUNReport) name() string {
	if s.Server.IsValid() && s.Server.Addr().Is6() {
		return s.URL + " by IPv6"
	}
	return s.URL
}

func (r *Report) explainUDP() Finding {
	f := Finding{Topic: "UDP"}
	answered, asked, best := 0, 0, int64(-1)
	for _, s := range r.STUN {
		asked++
		if s.Mapped.IsValid() {
			answered++
			if best < 0 || s.RTTms < best {
				best = s.RTTms
			}
		}
	}
	switch r.UDP {
	case UDPOpen:
		f.Level = OK
		f.Text = "Gets out and back."
		if answered > 0 {
			f.Text = fmt.Sprintf("Gets out and back: %d of %d STUN servers answered, the nearest after %d ms.", answered, asked, best)
		}
	case UDPBlocked:
		f.Level = Problem
		f.Text = "Does not get out, though other connections do. Video has to go through a relay over TCP or TLS."
		if r.relayed("tcp", "tls") {
			f.Level = Note
		}
		f.Advice = "Allow outgoing UDP in the router or firewall; then most viewers can be reached directly."
	default:
		switch {
		case asked > 0:
			f.Level = Problem
			f.Text = "No STUN server answered, and nothing else did that would tell whether the fault is here or there."
			f.Advice = "Check that this device is online, and the servers' addresses."
		default:
			f.Level = Note
			f.Text = "Not tested, since no STUN server is known."
			f.Advice = "Name the signaling service with --signal wss://HOST, or a STUN server with --stun HOST:PORT."
		}
	}
	return f
}

func (r *Report) explainAddress() Finding {
	f := Finding{OK, "Address", "", ""}
	here := list(r.IPv4.Local)
	switch {
	case len(r.IPv4.Public) > 1:
		f.Level = Note
		f.Text = fmt.Sprintf("On the internet it changes between %s; here it is %s.", list(r.IPv4.Public), here)
	case len(r.IPv4.Public) == 1 && r.IPv4.NAT == No:
		f.Text = fmt.Sprintf("%s, this device's own on the internet: no router translates it.", r.IPv4.Public[0])
	case len(r.IPv4.Public) == 1:
		f.Text = fmt.Sprintf("%s on the internet, %s here.", r.IPv4.Public[0], here)
	case len(r.IPv4.Local) > 0:
		f.Level = Note
		f.Text = fmt.Sprintf("%s here; how the internet sees it is not known.", here)
	default:
		f.Level = Note
		f.Text = "This device has no IPv4 address."
	}
	return f
}

const needsHelp = "Turn on PCP, NAT-PMP or UPnP in the router, or use a relay (sightline signal --turn)."

// explainRouter says what mapping and filtering together mean for viewers. The
// names in brackets are those that most texts use.
func (r *Report) explainRouter() Finding {
	f := Finding{OK, "Router", "", ""}
	who := "The router"
	if r.IPv4.NAT == No {
		f.Topic, who = "Firewall", "It"
	}
	helped := r.mapped() || r.relayed("udp", "tcp", "tls")
	m, fl := r.IPv4.Mapping, r.IPv4.Filtering
	switch {
	case m.Kind == Unknown:
		f.Level = Note
		f.Text = fmt.Sprintf("How it treats ports is not known: %s.", m.Reason)
	case m.Kind != EndpointIndependent:
		f.Text = "It gives this device another port for every destination (symmetric). " +
			"Viewers behind strict routers cannot find the way in; the others can."
		if !helped {
			f.Level, f.Advice = Note, needsHelp
		}
	case fl.Kind == EndpointIndependent && r.IPv4.NAT == No:
		f.Text = "None in the way. Every viewer who can send UDP reaches this device directly."
	case fl.Kind == EndpointIndependent:
		f.Text = "It keeps one port for this device and lets everybody in there (full cone). " +
			"Every viewer who can send UDP reaches this device directly."
	case fl.Kind == AddressDependent:
		f.Text = who + " keeps one port for this device, and lets in the addresses that it has sent to (address-restricted). " +
			"Every viewer who can send UDP reaches this device directly."
	case fl.Kind == AddressAndPortDependent:
		f.Text = who + " keeps one port for this device, and lets in only the very ports that it has sent to (port-restricted). " +
			"Most viewers reach this device directly, but not those whose own router changes ports for every destination, " +
			"as in many mobile and office networks."
		if !helped {
			f.Level, f.Advice = Note, needsHelp
		}
	default:
		f.Text = fmt.Sprintf("%s keeps one port for this device. Whom it lets in there is not known: %s.", who, fl.Reason)
	}
	if m.Kind != Unknown && m.Reason != "" {
		f.Text += " Not certain: " + m.Reason + "."
	}
	if fl.Kind != Unknown && fl.Reason != "" && m.Kind == EndpointIndependent {
		f.Text += " Not certain: " + fl.Reason + "."
	}
	return f
}

// mapped reports whether the router opened a port that the internet can reach.
func (r *Report) mapped() bool {
	if r.PortMapping == nil || r.DoubleNAT {
		return false
	}
	for _, p := range r.PortMapping.Protocols {
		if p.State == portmap.Mapped {
			return true
		}
	}
	return false
}

// relayed reports whether a relay works over one of the transports.
func (r *Report) relayed(transports ...string) bool {
	for _, l := range r.Relays {
		for _, t := range transports {
			if l.Usable && l.Transport == t {
				return true
			}
		}
	}
	return false
}

func (r *Report) explainPortMapping() Finding {
	f := Finding{OK, "Port mapping", "", ""}
	var by []string
	for _, p := range r.PortMapping.Protocols {
		if p.State == portmap.Mapped {
			by = append(by, map[portmap.Protocol]string{portmap.PCP: "PCP", portmap.NATPMP: "NAT-PMP", portmap.UPnP: "UPnP"}[p.Protocol])
		}
	}
	switch {
	case len(by) > 0 && r.DoubleNAT:
		f.Level = Note
		f.Text = fmt.Sprintf("The router opens ports by %s, but there is a second router behind it, and that one does not.", strings.Join(by, " and "))
		if r.PortMapping.External.IsValid() {
			f.Text += fmt.Sprintf(" The first one's address is %s, and that is not one of the internet's or not the one the internet sees.", r.PortMapping.External)
		}
		f.Advice = "If the second router is yours, let it be a plain modem (bridge mode). If it is the provider's, ask for an address of your own, or use IPv6 or a relay."
	case len(by) > 0:
		f.Text = fmt.Sprintf("The router opens ports by %s. Every viewer who can send UDP reaches this device directly.", strings.Join(by, " and "))
	case r.IPv4.NAT == No:
		f.Text = "Not needed."
	default:
		f.Level = Note
		f.Text = sentence(r.PortMapping.Problem)
		if f.Text == "" {
			f.Text = "The router opens no port for this device."
			f.Advice = "Turn on PCP, NAT-PMP or UPnP in the router, if it has one of them."
		}
	}
	return f
}

func (r *Report) explainHairpin() Finding {
	if r.IPv4.Hairpin == Yes {
		return Finding{OK, "Hairpin", "Devices behind this router reach each other by its public address too.", ""}
	}
	return Finding{Note, "Hairpin", "Devices behind this router do not reach each other by its public address. " +
		"Viewers at home use the address in the home network, so this hardly ever matters.", ""}
}

func (r *Report) explainIPv6() Finding {
	f := Finding{OK, "IPv6", "", ""}
	asked := false
	for _, s := range r.STUN {
		asked = asked || s.Server.IsValid() && s.Server.Addr().Is6()
	}
	global := false
	for _, a := range r.IPv6.Local {
		global = global || !inside(a)
	}
	switch {
	case len(r.IPv6.Public) > 0 && r.IPv6.Filtering.Kind == EndpointIndependent:
		f.Text = fmt.Sprintf("%s, open to everybody. Viewers with IPv6 reach this device directly.", list(r.IPv6.Public))
	case len(r.IPv6.Public) > 0:
		f.Text = fmt.Sprintf("%s. Viewers with IPv6 reach this device directly.", list(r.IPv6.Public))
	case asked && global:
		f.Level, f.Text = Note, "This device has an address, but no server answered over it."
	case global:
		f.Level, f.Text = Note, "This device has an address. It was not tested, since no STUN server with IPv6 is known."
	default:
		f.Level, f.Text = Note, "None here. With it, viewers who have it too would need no port mapping and no relay."
	}
	return f
}

func (l *RelayReport) explain(udp UDP) Finding {
	f := Finding{Topic: "Relay"}
	switch {
	case l.Usable:
		f.Level = OK
		f.Text = fmt.Sprintf("%s works over %s (%d ms).", l.URL, nameOf(l.Transport), l.RTTms)
	case l.Transport == "udp" && udp == UDPBlocked:
		f.Level = Note
		f.Text = l.URL + " is out of reach, as UDP is blocked."
	default:
		f.Level = Problem
		f.Text = fmt.Sprintf("%s does not work: %s.", l.URL, l.Problem)
	}
	return f
}

// Clocks that are further off than this are worth a word, or a problem: messages
// are good for a minute and two more (signaling/doc.go), and guests' rights and
// certificates end at a time of day.
const (
	noteClock    = 10 * time.Second
	problemClock = 2 * time.Minute
)

// Explain says what was found out about the signaling service and the clock.
func (s *SignalReport) Explain() []Finding {
	if s.Problem != "" {
		return append([]Finding{{Problem, "Service", fmt.Sprintf("%s: %s.", s.URL, s.Problem), ""}}, s.explainClock()...)
	}
	return append([]Finding{{OK, "Service", fmt.Sprintf("%s answers (%d ms).", s.URL, s.RTTms), ""}}, s.explainClock()...)
}

func (s *SignalReport) explainClock() []Finding {
	if s.Clock == nil {
		return nil
	}
	f := Finding{OK, "Clock", "Right, as far as whole seconds can tell.", ""}
	off, direction := time.Duration(s.Clock.AheadMs)*time.Millisecond, "ahead of"
	if off < 0 {
		off, direction = -off, "behind"
	}
	if off > noteClock+time.Duration(s.Clock.PrecisionMs)*time.Millisecond {
		f.Level = Note
		f.Text = fmt.Sprintf("%s %s the signaling service's.", off.Round(time.Second), direction)
		f.Advice = "Set this device's clock by NTP, or check the server's."
	}
	if off > problemClock {
		f.Level = Problem
		f.Text += " Certificates and guests' rights begin and end at the wrong time, and viewers may be refused."
	}
	return []Finding{f}
}

func list(addrs []netip.Addr) string {
	const most = 4
	var texts []string
	for i, a := range addrs {
		if i == most {
			texts = append(texts, fmt.Sprintf("%d more", len(addrs)-most))
			break
		}
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ", ")
}

// sentence makes a reason that stands alone.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
