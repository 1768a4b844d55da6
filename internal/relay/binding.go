package relay

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/pion/stun/v4"
)

const (
	stunHeader = 20 // bytes, RFC 8489 §5
	// The flags of CHANGE-REQUEST (RFC 5780 §7.2).
	changeIP, changePort = 4, 2
)

// alternatives are the sockets, by index, that may answer in the place of one
// (RFC 5780 §6.1), -1 for none.
type alternatives struct{ port, ip, both int }

// arrange finds the alternatives of every socket by the addresses that clients
// see them at. Another port needs a second socket at the same address; another
// address needs the full square of two addresses and two ports, as the RFC
// demands, since nothing else is told a client than what is true.
func arrange(at []netip.AddrPort) []alternatives {
	index := make(map[netip.AddrPort]int, len(at))
	for i, a := range at {
		if a.IsValid() && !a.Addr().IsUnspecified() {
			index[a] = i
		}
	}
	all := make([]alternatives, len(at))
	for i, a := range at {
		all[i] = alternatives{-1, -1, -1}
		if _, ok := index[a]; !ok {
			continue
		}
		for j, b := range at {
			if b.Addr() == a.Addr() && b.Port() != a.Port() && all[i].port < 0 {
				all[i].port = j
			}
			if b.Addr() == a.Addr() || b.Port() == a.Port() || b.Addr().Is4() != a.Addr().Is4() {
				continue
			}
			port, ok1 := index[netip.AddrPortFrom(a.Addr(), b.Port())]
			ip, ok2 := index[netip.AddrPortFrom(b.Addr(), a.Port())]
			if both, ok3 := index[b]; ok1 && ok2 && ok3 {
				all[i] = alternatives{port, ip, both}
				break
			}
		}
	}
	return all
}

// isBinding reports whether a packet is a Binding request.
func isBinding(p []byte) bool {
	return len(p) >= stunHeader && binary.BigEndian.Uint16(p) == 0x0001 && stun.IsMessage(p)
}

// isRequest reports whether a packet is a STUN request of any method.
func isRequest(p []byte) bool {
	// The class bits of RFC 8489 §5: both are 0.
	return len(p) >= stunHeader && p[0]>>6 == 0 && p[0]&0x01 == 0 && p[1]&0x10 == 0
}

// answerBinding answers a Binding request that came from an address to socket i;
// via is the socket that must send the answer. A nil answer is none.
func answerBinding(p []byte, from netip.AddrPort, i int, at []netip.AddrPort, other []alternatives) (answer []byte, via int) {
	m := &stun.Message{Raw: p}
	if m.Decode() != nil || m.Type != stun.BindingRequest {
		return nil, i
	}
	if m.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(m) != nil {
		return nil, i
	}
	via, unknown := i, stun.UnknownAttributes(nil)
	for _, a := range m.Attributes {
		if a.Type == stun.AttrChangeRequest {
			if via = other[i].choose(a.Value, i); via < 0 {
				unknown = append(unknown, a.Type) // as RFC 5780 §6.1 has it
			}
		} else if a.Type.Required() && !ignored(a.Type) {
			unknown = append(unknown, a.Type)
		}
	}
	id := stun.NewTransactionIDSetter(m.TransactionID)
	var setters []stun.Setter
	if len(unknown) > 0 {
		via = i
		setters = []stun.Setter{id, stun.BindingError, stun.CodeUnknownAttribute, unknown}
	} else {
		setters = []stun.Setter{id, stun.BindingSuccess, &stun.XORMappedAddress{IP: netIP(from), Port: int(from.Port())}}
		if origin := at[via]; origin.IsValid() && !origin.Addr().IsUnspecified() {
			setters = append(setters, &stun.ResponseOrigin{IP: netIP(origin), Port: int(origin.Port())})
		}
		if both := other[i].both; both >= 0 {
			setters = append(setters, &stun.OtherAddress{IP: netIP(at[both]), Port: int(at[both].Port())})
		}
	}
	built, err := stun.Build(append(setters, stun.Fingerprint)...)
	if err != nil {
		return nil, i
	}
	return built.Raw, via
}

// choose returns the socket that a CHANGE-REQUEST asks for, -1 if there is none.
func (a alternatives) choose(value []byte, self int) int {
	if len(value) != 4 {
		return -1
	}
	switch value[3] & (changeIP | changePort) {
	case changeIP:
		return a.ip
	case changePort:
		return a.port
	case changeIP | changePort:
		return a.both
	}
	return self
}

// ignored are comprehension-required attributes that mean nothing in a Binding
// request to a server without credentials, but may be there.
func ignored(t stun.AttrType) bool {
	switch t {
	case stun.AttrUsername, stun.AttrMessageIntegrity, stun.AttrMessageIntegritySHA256, stun.AttrRealm, stun.AttrNonce,
		stun.AttrUserhash, stun.AttrPasswordAlgorithm, stun.AttrPriority, stun.AttrUseCandidate:
		return true
	default:
		return false
	}
}

func netIP(a netip.AddrPort) net.IP { return a.Addr().Unmap().AsSlice() }
