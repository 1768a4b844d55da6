package netcheck

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/internal/nat/portmap"
)

// Explain says what was found out about the network, in the order in which it
// matters. The signaling service speaks for itself.
func (r *Report) Explain() []Finding {
	if r.Problem != "" {
		return []Finding{{Level: Problem, Topic: "Network", Text: sentence(r.Problem)}}
	}
	out := []Finding{r.explainUDP(), r.explainAddress()}
	if r.UDP == nat.UDPOpen && len(r.IPv4.Public) > 0 && !r.homely() {
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
		if s.Problem != "" && r.UDP != nat.UDPBlocked {
			out = append(out, Finding{Level: Note, Topic: "STUN server", Text: fmt.Sprintf("%s: %s.", s.name(), s.Problem)})
		}
	}
	for i := range r.Relays {
		out = append(out, r.Relays[i].explain(r.UDP))
	}
	if len(r.Relays) == 0 {
		out = append(out, Finding{Level: Note, Topic: "Relay", Text: "None is known. What cannot go directly does not go at all.",
			Advice: "Start the signaling service with --turn, and enrol this agent there."})
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
	case nat.UDPOpen:
		f.Level = OK
		f.Text = "Gets out and back."
		switch {
		case asked == 1 && answered == 1:
			f.Text = fmt.Sprintf("Gets out and back: a STUN server answered after %d ms.", best)
		case answered > 0:
			f.Text = fmt.Sprintf("Gets out and back: %d of %d STUN servers answered, the nearest after %d ms.", answered, asked, best)
		}
	case nat.UDPBlocked:
		f.Level = Problem
		f.Text = "Does not get out, though other connections do. Video has to go through a relay over TCP or TLS."
		if r.relayed("tcp", "tls") {
			f.Level = Note
		}
		f.Advice = "Allow outgoing UDP in the router or firewall; then most viewers can be reached directly."
	case nat.UDPUnknown:
		if asked > 0 {
			f.Level = Problem
			f.Text = "No STUN server answered, and nothing else did that would tell whether the fault is here or there."
			f.Advice = "Check that this device is online, and the servers' addresses."
		} else {
			f.Level = Note
			f.Text = "Not tested, since no STUN server is known."
			f.Advice = "Name the signaling service with --signal wss://HOST, or a STUN server with --stun HOST:PORT."
		}
	}
	return f
}

// homely reports whether all STUN servers that answered are in a network of our
// own, so that what they saw says nothing about the internet.
func (r *Report) homely() bool {
	for _, a := range r.IPv4.Public {
		if !inside(a) && !a.IsLoopback() {
			return false
		}
	}
	return len(r.IPv4.Public) > 0
}

func (r *Report) explainAddress() Finding {
	f := Finding{Level: OK, Topic: "Address"}
	here := list(r.IPv4.Local)
	switch {
	case r.homely():
		f.Level = Note
		f.Text = fmt.Sprintf("%s here. The STUN server is in the same network, so how the internet sees this device is not known.", here)
		f.Advice = "Name a STUN server on the internet with --stun HOST:PORT to find out."
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

// explainRouter says what mapping and filtering together mean for viewers. The
// names in brackets are those that most texts use.
func (r *Report) explainRouter() Finding {
	f := Finding{Level: OK, Topic: "Router"}
	who := "The router"
	if r.IPv4.NAT == No {
		f.Topic, who = "Firewall", "It"
	}
	const everybody = " Every viewer who can send UDP reaches this device directly."
	m, in := r.IPv4.Mapping, r.IPv4.Filtering
	switch {
	case m.Kind == nat.BehaviourUnknown:
		f.Level, f.Text = Note, "How it treats ports is not known: "+m.Reason+"."
		return f
	case m.Kind != nat.EndpointIndependent:
		f.Text = who + " gives this device another port for every destination (symmetric)."
		r.explainStrict(&f, "Viewers behind most home routers cannot find the way in.")
	case in.Kind == nat.BehaviourUnknown:
		f.Text = who + " keeps one port for this device. Whom it lets in there is not known: " + in.Reason + "."
	case in.Kind == nat.EndpointIndependent && r.IPv4.NAT == No:
		f.Text = "None in the way." + everybody
	case in.Kind == nat.EndpointIndependent:
		f.Text = who + " keeps one port for this device and lets everybody in there (full cone)." + everybody
	case in.Kind == nat.AddressDependent:
		f.Text = who + " keeps one port for this device, and lets in the addresses that it has sent to (address-restricted)." + everybody
	default:
		f.Text = who + " keeps one port for this device, and lets in only the very ports that it has sent to (port-restricted)."
		r.explainStrict(&f, "Most viewers reach this device directly, but not those whose own router changes ports for every destination, "+
			"as in many mobile and office networks.")
	}
	for _, b := range []Measured{in, m} {
		if b.Kind != nat.BehaviourUnknown && !b.Certain {
			f.Text += " Not certain: " + b.Reason + "."
			break // one doubt is enough
		}
	}
	return f
}

// explainStrict says what becomes of the viewers for whom the router is too strict.
func (r *Report) explainStrict(f *Finding, who string) {
	switch {
	case r.mapped():
		f.Text += " The port mapping gets around that."
	case r.relayed("udp", "tcp", "tls"):
		f.Text += " " + who + " They go through the relay."
	default:
		f.Level = Note
		f.Text += " " + who
		f.Advice = "Turn on PCP, NAT-PMP or UPnP in the router, or use a relay (sightline signal --turn)."
	}
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
	f := Finding{Level: OK, Topic: "Port mapping"}
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
		switch e := r.PortMapping.External; {
		case e.IsValid() && inside(e):
			f.Text += fmt.Sprintf(" The first one's address, %s, is not one of the internet.", e)
		case e.IsValid():
			f.Text += fmt.Sprintf(" The first one's address is %s, but the internet sees another.", e)
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
		return Finding{Level: OK, Topic: "Hairpin", Text: "Devices behind this router reach each other by its public address too."}
	}
	return Finding{Level: Note, Topic: "Hairpin", Text: "Devices behind this router do not reach each other by its public address. " +
		"Viewers at home use the address in the home network, so this hardly ever matters."}
}

func (r *Report) explainIPv6() Finding {
	f := Finding{Level: OK, Topic: "IPv6"}
	asked := false
	for _, s := range r.STUN {
		asked = asked || s.Server.IsValid() && s.Server.Addr().Is6()
	}
	global := false
	for _, a := range r.IPv6.Local {
		global = global || !inside(a)
	}
	switch {
	case len(r.IPv6.Public) > 0 && r.IPv6.Filtering.Kind == nat.EndpointIndependent:
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

func (l *RelayReport) explain(udp nat.UDP) Finding {
	f := Finding{Topic: "Relay"}
	switch {
	case l.Usable:
		f.Level = OK
		f.Text = fmt.Sprintf("%s works over %s (%d ms).", l.URL, nameOf(l.Transport), l.RTTms)
	case l.Transport == "udp" && udp == nat.UDPBlocked:
		f.Level = Note
		f.Text = l.URL + " is out of reach, as UDP is blocked."
	default:
		f.Level = Problem
		f.Text = fmt.Sprintf("%s does not work: %s.", l.URL, l.Problem)
	}
	return f
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
	_, first := utf8.DecodeRuneInString(text)
	return strings.ToUpper(text[:first]) + text[first:]
}
