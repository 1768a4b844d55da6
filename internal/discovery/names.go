package discovery

import (
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Names end in a dot, and are compared in lower case (RFC 6762 §16).
const (
	localDomain = ".local."
	// serviceName is what agents are found by (RFC 6763 §4.1).
	serviceName = "_sightline._tcp.local."
	// enumerationName asks for all kinds of services (RFC 6763 §9).
	enumerationName = "_services._dns-sd._udp.local."
)

// An agent's id makes its names unique: no one else has that key, so nothing is
// probed for (RFC 6762 §8.1), and no conflict renamed.

func instanceName(p identity.PeerID) string { return string(p) + "." + serviceName }

func hostName(p identity.PeerID) string { return string(p) + localDomain }

// peerOf returns whose instance or host name it is, given the rest of it.
func peerOf(name, rest string) (identity.PeerID, bool) {
	id, ok := strings.CutSuffix(name, rest)
	peer := identity.PeerID(id)
	return peer, ok && peer.Validate() == nil
}

// candidateName returns the canonical spelling of the name of a browser's
// candidate, a UUID and ".local"; false for any other name. Nothing else is looked
// up for a stranger: which other machines there are is none of its business.
func candidateName(name string) (string, bool) {
	name = strings.ToLower(strings.TrimSuffix(name, ".")) + "."
	id, ok := strings.CutSuffix(name, localDomain)
	if !ok || len(id) != len("00000000-0000-0000-0000-000000000000") {
		return "", false
	}
	for i := range len(id) {
		switch c := id[i]; i {
		case 8, 13, 18, 23:
			ok = ok && c == '-'
		default:
			ok = ok && (c >= '0' && c <= '9' || c >= 'a' && c <= 'f')
		}
	}
	return name, ok
}

func fold(n dnsmessage.Name) string { return strings.ToLower(n.String()) }
