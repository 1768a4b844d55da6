package discovery

import (
	"errors"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// maxPacket is the largest message there is (RFC 6762 §17), in bytes.
	maxPacket = 9000
	// maxQuestions and maxRecords bound what is read of one message.
	maxQuestions = 64
	maxRecords   = 256
	// topBit of a class asks for an answer by unicast in a question, and in a
	// record says that it replaces older ones (RFC 6762 §18.12, §18.13).
	topBit = 1 << 15
)

// message is what concerns us of one.
type message struct {
	id        uint16
	response  bool
	questions []question
	records   []record // of all sections
}

type question struct {
	name    string // in lower case
	kind    dnsmessage.Type
	unicast bool // an answer to the asker alone is welcome
}

type record struct {
	name   string // in lower case
	kind   dnsmessage.Type
	ttl    uint32     // seconds; 0 takes the record back
	target string     // of PTR and SRV, in lower case
	port   uint16     // of SRV
	text   []string   // of TXT
	addr   netip.Addr // of A and AAAA
}

// isResponse tells the two kinds of messages apart without reading them.
func isResponse(p []byte) bool { return len(p) > 2 && p[2]&0x80 != 0 }

// parse reads a message; false if it is none for multicast DNS (RFC 6762 §18).
// What comes after something that cannot be read is left out: names of other
// services may have dots in their labels, which dnsmessage refuses.
func parse(p []byte) (m message, ok bool) {
	var parser dnsmessage.Parser
	h, err := parser.Start(p)
	if err != nil || h.OpCode != 0 || h.RCode != dnsmessage.RCodeSuccess {
		return message{}, false
	}
	m = message{id: h.ID, response: h.Response}
	for {
		q, err := parser.Question()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			break
		}
		if err != nil || len(m.questions) == maxQuestions {
			return m, true
		}
		if class := q.Class &^ topBit; class == dnsmessage.ClassINET || class == dnsmessage.ClassANY {
			m.questions = append(m.questions, question{name: fold(q.Name), kind: q.Type, unicast: q.Class&topBit != 0})
		}
	}
	sections := [...]struct {
		header func() (dnsmessage.ResourceHeader, error)
		skip   func() error
	}{
		{parser.AnswerHeader, parser.SkipAnswer},
		{parser.AuthorityHeader, parser.SkipAuthority},
		{parser.AdditionalHeader, parser.SkipAdditional},
	}
	for read := 0; ; read++ {
		// The next record is of the first section that is not done.
		var h dnsmessage.ResourceHeader
		err, skip := dnsmessage.ErrSectionDone, func() error { return nil }
		for i := 0; i < len(sections) && errors.Is(err, dnsmessage.ErrSectionDone); i++ {
			h, err = sections[i].header()
			skip = sections[i].skip
		}
		if err != nil || read == maxRecords {
			return m, true
		}
		r, known, err := body(&parser, h)
		switch {
		case err != nil:
			return m, true
		case known:
			m.records = append(m.records, r)
		case skip() != nil:
			return m, true
		}
	}
}

// body reads the rest of a record. One of a kind that does not concern us is not
// known, and still to be skipped.
func body(p *dnsmessage.Parser, h dnsmessage.ResourceHeader) (r record, known bool, err error) {
	if h.Class&^topBit != dnsmessage.ClassINET {
		return r, false, nil
	}
	r = record{name: fold(h.Name), kind: h.Type, ttl: h.TTL}
	switch h.Type {
	case dnsmessage.TypePTR:
		b, err := p.PTRResource()
		r.target = fold(b.PTR)
		return r, true, err
	case dnsmessage.TypeSRV:
		b, err := p.SRVResource()
		r.target, r.port = fold(b.Target), b.Port
		return r, true, err
	case dnsmessage.TypeTXT:
		b, err := p.TXTResource()
		r.text = b.TXT
		return r, true, err
	case dnsmessage.TypeA:
		b, err := p.AResource()
		r.addr = netip.AddrFrom4(b.A)
		return r, true, err
	case dnsmessage.TypeAAAA:
		b, err := p.AAAAResource()
		r.addr = netip.AddrFrom16(b.AAAA)
		return r, true, err
	default:
		return r, false, nil
	}
}

// ask makes a question for all of the kinds.
func ask(name string, kinds ...dnsmessage.Type) ([]byte, error) {
	n, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, err
	}
	var m dnsmessage.Message
	for _, kind := range kinds {
		m.Questions = append(m.Questions, dnsmessage.Question{Name: n, Type: kind, Class: dnsmessage.ClassINET})
	}
	return m.Pack()
}
