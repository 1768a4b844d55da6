package peer

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/pion/ice/v4"
)

// pathAttribute marks a description whose maker chooses paths as this package
// does: whichever works first, and then the best of those that do. Others follow
// RFC 8445 to the letter.
const pathAttribute = "a=x-sightline-path:1"

// iceFacts are the ICE parameters of a description (RFC 8839).
type iceFacts struct {
	fragment, password string
	candidates         []ice.Candidate // UDP and with an address
	names              []string        // candidate lines with a .local name
	ours               bool            // has pathAttribute
}

// readICE takes the ICE parameters out of a description: the first fragment and
// password, which all sections of a bundle share. Unreadable candidates are left
// out.
func readICE(sdp string) (f iceFacts) {
	for line := range strings.Lines(sdp) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case f.fragment == "" && strings.HasPrefix(line, "a=ice-ufrag:"):
			f.fragment = line[len("a=ice-ufrag:"):]
		case f.password == "" && strings.HasPrefix(line, "a=ice-pwd:"):
			f.password = line[len("a=ice-pwd:"):]
		case line == pathAttribute:
			f.ours = true
		case strings.HasPrefix(line, "a=candidate:") && len(f.candidates)+len(f.names) < maxCandidates:
			value := strings.TrimPrefix(line, "a=")
			if localName(value) != "" {
				f.names = append(f.names, value)
			} else if c, ok := udpCandidate(value); ok {
				f.candidates = append(f.candidates, c)
			}
		}
	}
	return f
}

// udpCandidate reads a candidate line; false if it is none for UDP.
func udpCandidate(line string) (ice.Candidate, bool) {
	c, err := ice.UnmarshalCandidate(line)
	if err != nil || !c.NetworkType().IsUDP() {
		return nil, false
	}
	if _, err := netip.ParseAddr(c.Address()); err != nil {
		return nil, false
	}
	return c, true
}

func addressOf(c ice.Candidate) netip.AddrPort {
	a, err := netip.ParseAddr(c.Address())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(c.Port())) // parsed as 16 bits
}

// localName returns the name of a candidate that hides its address behind one
// (draft-ietf-mmusic-mdns-ice-candidates), or "".
func localName(line string) string {
	fields := strings.Fields(line)
	if len(fields) < 6 || !strings.HasSuffix(fields[4], ".local") {
		return ""
	}
	return fields[4]
}

// withAddress puts an address in the place of a candidate's name.
func withAddress(line string, a netip.Addr) string {
	fields := strings.Fields(line)
	fields[4] = a.String()
	return strings.Join(fields, " ")
}

// withCandidates puts the port's candidates in the place of those that pion
// gathered, but for the relayed ones, and marks the description as ours.
func withCandidates(sdp string, lines []string) string {
	var out strings.Builder
	sections := 0
	add := func() {
		for _, l := range lines {
			fmt.Fprintf(&out, "a=%s\r\n", l)
		}
	}
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, "m=") {
			switch sections++; sections {
			case 1:
				out.WriteString(pathAttribute + "\r\n")
			case 2:
				add() // the first section's are for the whole bundle
			}
		}
		relayed := strings.Contains(line, " typ relay")
		if strings.HasPrefix(line, "a=end-of-candidates") || strings.HasPrefix(line, "a=candidate:") && !relayed {
			continue
		}
		out.WriteString(line)
	}
	if sections == 1 {
		add()
	}
	return out.String()
}
