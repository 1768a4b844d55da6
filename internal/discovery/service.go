package discovery

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Service is an agent on this network, as anybody on it is told.
type Service struct {
	// Peer is the agent's id.
	Peer identity.PeerID
	// Port is the TCP port of the agent's listener, which serves signaling too; 0
	// if there is none that others reach.
	Port uint16
	// TLS says that the listener speaks TLS.
	TLS bool
	// UDP is the port for media; 0 if it is not told.
	UDP uint16
	// Addresses are where it was found, at most 16, the last heard of first.
	// Link-local IPv6 addresses have a zone, the index of the interface. Advertise
	// does not look at them: it gives out the addresses of each interface on that
	// interface.
	Addresses []netip.Addr
}

const (
	// hostTTL and otherTTL are how long records are good for, in seconds, with and
	// without a host name in them (RFC 6762 §10).
	hostTTL  = 120
	otherTTL = 4500
	// legacyTTL is what programs are told that only speak plain DNS (§6.7).
	legacyTTL = 10
)

// wants says which records were asked for.
type wants uint8

const (
	wantKinds    wants = 1 << iota // enumerationName
	wantService                    // serviceName
	wantInstance                   // instanceName
	wantHost                       // hostName
)

// wantAll is what is announced.
const wantAll = wantService | wantInstance | wantHost

// wanted says what a question wants of the service.
func (s Service) wanted(q question) wants {
	is := func(name string, kinds ...dnsmessage.Type) bool {
		for _, k := range append(kinds, dnsmessage.TypeALL) {
			if q.kind == k {
				return q.name == name
			}
		}
		return false
	}
	switch {
	case is(serviceName, dnsmessage.TypePTR):
		return wantService
	case is(enumerationName, dnsmessage.TypePTR):
		return wantKinds
	case is(instanceName(s.Peer), dnsmessage.TypeSRV, dnsmessage.TypeTXT):
		return wantInstance
	case is(hostName(s.Peer), dnsmessage.TypeA, dnsmessage.TypeAAAA):
		return wantHost
	}
	return 0
}

// known takes back what the asker says it knows already (RFC 6762 §7.1).
func (s Service) known(w wants, records []record) wants {
	for _, r := range records {
		if r.kind == dnsmessage.TypePTR && r.name == serviceName && r.target == instanceName(s.Peer) && r.ttl >= otherTTL/2 {
			w &^= wantService
		}
	}
	return w
}

// reply says how an answer is made.
type reply struct {
	wants     wants
	addresses []netip.Addr
	goodbye   bool // takes the records back
	// legacy answers a program that only speaks plain DNS: with the id and the
	// questions of its message (RFC 6762 §6.7).
	legacy *message
}

// answer makes a message with what is wanted, and adds what will be asked next.
func (s Service) answer(r reply) ([]byte, error) {
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}}
	if r.legacy != nil {
		m.ID = r.legacy.id
		for _, q := range r.legacy.questions {
			if s.wanted(q) == 0 {
				continue
			}
			n, err := dnsmessage.NewName(q.name)
			if err != nil {
				return nil, err
			}
			m.Questions = append(m.Questions, dnsmessage.Question{Name: n, Type: q.kind, Class: dnsmessage.ClassINET})
		}
	}
	add := func(what wants, unique bool, name string, ttl uint32, body dnsmessage.ResourceBody) error {
		n, err := dnsmessage.NewName(name)
		if err != nil {
			return err
		}
		h := dnsmessage.ResourceHeader{Name: n, Class: dnsmessage.ClassINET, TTL: ttl}
		switch {
		case r.goodbye:
			h.TTL = 0
		case r.legacy != nil:
			h.TTL = min(ttl, legacyTTL)
		}
		if unique && r.legacy == nil {
			h.Class |= topBit
		}
		rr := dnsmessage.Resource{Header: h, Body: body}
		switch {
		case r.wants&what != 0:
			m.Answers = append(m.Answers, rr)
		case what != wantKinds && r.wants != wantKinds:
			m.Additionals = append(m.Additionals, rr)
		}
		return nil
	}
	if err := s.records(r.addresses, add); err != nil {
		return nil, err
	}
	return m.Pack()
}

// records calls add for each record of the service.
func (s Service) records(addresses []netip.Addr, add func(what wants, unique bool, name string, ttl uint32, body dnsmessage.ResourceBody) error) error {
	service, err := dnsmessage.NewName(serviceName)
	if err != nil {
		return err
	}
	instance, err := dnsmessage.NewName(instanceName(s.Peer))
	if err != nil {
		return err
	}
	host, err := dnsmessage.NewName(hostName(s.Peer))
	if err != nil {
		return err
	}
	if err := add(wantKinds, false, enumerationName, otherTTL, &dnsmessage.PTRResource{PTR: service}); err != nil {
		return err
	}
	if err := add(wantService, false, serviceName, otherTTL, &dnsmessage.PTRResource{PTR: instance}); err != nil {
		return err
	}
	if err := add(wantInstance, true, instanceName(s.Peer), hostTTL, &dnsmessage.SRVResource{Port: s.Port, Target: host}); err != nil {
		return err
	}
	if err := add(wantInstance, true, instanceName(s.Peer), otherTTL, &dnsmessage.TXTResource{TXT: s.text()}); err != nil {
		return err
	}
	for _, a := range addresses {
		var body dnsmessage.ResourceBody = &dnsmessage.AAAAResource{AAAA: a.As16()}
		if a.Is4() {
			body = &dnsmessage.AResource{A: a.As4()}
		}
		if err := add(wantHost, true, hostName(s.Peer), hostTTL, body); err != nil {
			return err
		}
	}
	return nil
}

// text is the TXT record (RFC 6763 §6). There is nothing in it about the cameras,
// the people or the machine.
func (s Service) text() []string {
	out := []string{"v=1", "id=" + string(s.Peer)}
	if s.UDP != 0 {
		out = append(out, "udp="+strconv.Itoa(int(s.UDP)))
	}
	if s.TLS {
		out = append(out, "tls=1")
	}
	return out
}

// setText reads the TXT record of the agent s.Peer; false if it is none of this
// version. Unknown keys are left out; of two the first counts (RFC 6763 §6.4).
func (s *Service) setText(text []string) bool {
	values := make(map[string]string, len(text))
	for _, t := range text {
		key, value, _ := strings.Cut(t, "=")
		if key = strings.ToLower(key); values[key] == "" {
			values[key] = value
		}
	}
	if values["v"] != "1" || values["id"] != string(s.Peer) {
		return false
	}
	udp, err := strconv.ParseUint(values["udp"], 10, 16)
	if err != nil {
		udp = 0
	}
	s.UDP, s.TLS = uint16(udp), values["tls"] == "1"
	return true
}
