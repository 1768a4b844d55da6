//go:build linux

package netns

import (
	"fmt"
	"strings"
)

// ruleset makes the nftables rules of a router with the interfaces wan and lan.
//
// The kernel's own translation keeps the port of a host as long as no other has
// it, for every destination, and lets in only answers: that is endpoint-independent
// mapping and filtering by address and port. Everything else is made from that.
// What hosts have sent is remembered in sets, with addresses and ports as they
// were before the translation.
type ruleset struct {
	kind    Kind
	hairpin bool
	wan     string // the router's address outside
	lan     string // network inside
	tcp     []int  // ports that may be reached; nil: all
}

// idle is how long the router remembers what a host has sent (RFC 4787 REQ-5:
// not less than two minutes).
const idle = "timeout 5m"

func (r ruleset) text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if r.kind.translates() {
		line("table ip translate {")
		line("map hosts { type inet_service : ipv4_addr; flags dynamic,timeout; %s; }", idle)
		line("set addresses { type ipv4_addr . inet_service; flags dynamic,timeout; %s; }", idle)
		line("set endpoints { type ipv4_addr . inet_service . inet_service; flags dynamic,timeout; %s; }", idle)
		line("chain remember { type filter hook prerouting priority mangle;")
		line("iifname lan meta l4proto udp update @hosts { udp sport : ip saddr }")
		line("iifname lan meta l4proto udp update @addresses { ip daddr . udp sport }")
		line("iifname lan meta l4proto udp update @endpoints { ip daddr . udp dport . udp sport }")
		line("}")
		line("chain in { type nat hook prerouting priority dstnat;")
		r.in(line)
		line("}")
		line("chain out { type nat hook postrouting priority srcnat;")
		r.out(line)
		line("}")
		line("}")
	}
	line("table inet protect {")
	line("chain forward { type filter hook forward priority filter;")
	if r.kind == Blocked {
		line("meta l4proto udp drop")
	}
	if len(r.tcp) > 0 {
		line("iifname lan oifname wan tcp dport != { %s } drop", strings.ReplaceAll(strings.Trim(fmt.Sprint(r.tcp), "[]"), " ", ", "))
	}
	line("ct state established,related accept")
	line("ct status dnat accept") // what the rules above or a port mapping let in
	line("icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, packet-too-big, echo-request } accept")
	line("iifname wan drop")
	line("}")
	line("chain input { type filter hook input priority filter;")
	line("iifname wan ct state new meta l4proto { tcp, udp } drop")
	if r.wan != "" {
		line("iifname lan ip daddr %s meta l4proto { tcp, udp } drop", r.wan)
	}
	line("}")
	line("}")
	if r.kind.translates() {
		b.WriteString(mapped)
	}
	return b.String()
}

// mapped is for the ports that hosts have asked for; see MapPorts.
const mapped = `table inet mapped {
chain forward { }
chain in { }
chain out { }
chain prerouting { type nat hook prerouting priority dstnat - 10; jump in; }
chain postrouting { type nat hook postrouting priority srcnat - 10; jump out; }
}
`

// in writes the rules that let packets in from outside, and from inside to the
// outside address. The source of the latter is still that of the host; outside it
// has the router's address and the same port.
func (r ruleset) in(line func(format string, args ...any)) {
	from, hairpin := "", "ip daddr . udp sport . udp dport @endpoints"
	switch r.kind {
	case FullCone:
		hairpin = ""
	case AddressRestricted:
		from, hairpin = "ip saddr . udp dport @addresses", "ip daddr . udp dport @addresses"
	default:
		from = "none"
	}
	if from != "none" {
		line("iifname wan ip daddr %s %s dnat to udp dport map @hosts", r.wan, from)
	}
	// A router that maps every destination to a port of its own filters by
	// address and port, and no host can know the port that another has for it.
	if r.hairpin && r.kind != Symmetric {
		line("iifname lan ip daddr %s %s dnat to udp dport map @hosts", r.wan, hairpin)
	}
}

func (r ruleset) out(line func(format string, args ...any)) {
	if r.kind == Symmetric {
		line("oifname wan meta l4proto udp masquerade fully-random")
	}
	line("oifname wan masquerade persistent")
	line("oifname lan ip saddr %s snat to %s", r.lan, r.wan) // hairpin, RFC 4787 REQ-9
}
