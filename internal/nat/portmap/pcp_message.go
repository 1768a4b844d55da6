package portmap

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// The format of PCP: RFC 6887 §7 (header), §11.1 (MAP).
const (
	pcpVersion  = 2
	pcpOpMap    = 1
	pcpResponse = 0x80 // the R bit
	pcpHeader   = 24   // bytes
	pcpMap      = 36   // bytes
	pcpMost     = 1100 // bytes of the longest message
)

// The numbers of the transports (IANA protocol numbers).
const (
	protocolTCP = 6
	protocolUDP = 17
)

// pcpNonce tells our mapping from another's: only who knows it can change it.
type pcpNonce [12]byte

// pcpMapRequest asks for a mapping, or takes it back with a lifetime of 0.
type pcpMapRequest struct {
	client    netip.Addr
	nonce     pcpNonce
	protocol  byte // protocolUDP or protocolTCP
	internal  uint16
	suggested netip.AddrPort // zero: whatever the router likes
	lifetime  time.Duration
}

// encode returns the message.
func (r pcpMapRequest) encode() []byte {
	m := make([]byte, pcpHeader+pcpMap)
	m[0], m[1] = pcpVersion, pcpOpMap
	binary.BigEndian.PutUint32(m[4:], uint32(r.lifetime/time.Second))
	client := r.client.As16()
	copy(m[8:24], client[:])
	body := m[pcpHeader:]
	copy(body[:12], r.nonce[:])
	body[12] = r.protocol
	binary.BigEndian.PutUint16(body[16:], r.internal)
	binary.BigEndian.PutUint16(body[18:], r.suggested.Port())
	address := r.suggested.Addr()
	if !address.IsValid() {
		address = netip.IPv4Unspecified() // any of that family: §11.1
	}
	suggested := address.As16()
	copy(body[20:36], suggested[:])
	return m
}

// pcpAnswer is a response to a MAP request.
type pcpAnswer struct {
	result          byte // 0: success
	lifetimeSeconds uint32
	epoch           uint32
	external        netip.AddrPort
}

// answers parses a message and reports whether it answers the request; anything
// else is to be ignored (§8.3, §11.4). old says that the router does not know this
// version of the protocol, which a router that speaks NAT-PMP only says in the
// format of that (RFC 6886 §3.5).
func (r pcpMapRequest) answers(m []byte) (a pcpAnswer, old, ok bool) {
	if len(m) >= 8 && len(m) <= pcpMost && m[0] != pcpVersion && m[1]&pcpResponse != 0 {
		return a, true, true
	}
	if len(m) < pcpHeader+pcpMap || len(m) > pcpMost || len(m)%4 != 0 || m[0] != pcpVersion || m[1] != pcpResponse|pcpOpMap {
		return a, false, false
	}
	body := m[pcpHeader:]
	if pcpNonce(body[:12]) != r.nonce || body[12] != r.protocol || binary.BigEndian.Uint16(body[16:]) != r.internal {
		return a, false, false
	}
	return pcpAnswer{
		result:          m[3],
		lifetimeSeconds: binary.BigEndian.Uint32(m[4:]),
		epoch:           binary.BigEndian.Uint32(m[8:]),
		external:        netip.AddrPortFrom(netip.AddrFrom16([16]byte(body[20:36])).Unmap(), binary.BigEndian.Uint16(body[18:])),
	}, false, true
}

// pcpProblem says what a result code other than 0 means: §7.4.
func pcpProblem(code byte) error {
	switch code {
	case 1:
		return refused("it speaks another version of PCP")
	case 2:
		return refused("it does not allow this device to map ports")
	case 3, 6:
		return refused("it did not understand the request (PCP code %d)", code)
	case 4, 5, 9:
		return refused("it cannot do this (PCP code %d)", code)
	case 7:
		return errNoAddress
	case 8:
		return refused("it has no room for another mapping")
	case 10:
		return refused("this device has as many mappings as it allows")
	case 11:
		return refused("the port is taken")
	case 12:
		return refused("the request came with another source address: there is another router in between")
	}
	return refused("it gives an unknown reason (PCP code %d)", code)
}
