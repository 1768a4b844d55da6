package mediasign

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/sightline-cam/sightline/codecs"
)

// revision is the specification's revision that is written: 25.12. The third byte
// belongs to the reference implementation.
func revision() []byte { return []byte{25, 12, 0} }

// draft is a message as it is written: complete but for its signature.
type draft struct {
	e      escaper
	signed bool
}

// newDraft writes a document. With signed, room for a signature follows, which
// finish fills in; digest is what is to be signed.
func newDraft(codec codecs.Codec, d *Document, signed bool) (m draft, digest [hashSize]byte) {
	parts := appendTLV(nil, tagCrypto, cryptoValue())
	parts = appendTLV(parts, tagVendor, d.Vendor.value())
	if signed {
		parts = appendTLV(parts, tagCertificates, append([]byte{1, 0}, d.Chain...))
	}
	parts = appendTLV(parts, tagGeneral, d.generalValue())
	if d.Hashes != nil {
		list := append(make([]byte, 0, 1+len(d.Hashes)*hashSize), 1)
		for _, h := range d.Hashes {
			list = append(list, h[:]...)
		}
		parts = appendTLV(parts, tagHashes, list)
	}
	uuid := UUID()
	size := len(uuid) + 1 + len(parts)
	if signed {
		size += 3 + 3 + signatureRoom
	}
	header := appendMessageSize(append(seiHeader(codec), userDataUnregistered), size)
	m = draft{e: escaper{out: make([]byte, 0, size+size/64+32)}, signed: signed}
	m.e.write(header)
	m.e.write(uuid[:])
	m.e.write([]byte{flagEscaped})
	m.e.write(parts)
	return m, sha256.Sum256(m.e.out)
}

// finish returns the NAL unit. signature is nil for a message without one.
func (m *draft) finish(signature []byte) []byte {
	if m.signed {
		value := binary.BigEndian.AppendUint16([]byte{1}, uint16(len(signature)))
		value = append(value, signature...)
		for len(value) < 3+signatureRoom {
			value = append(value, 1) // a one needs no emulation prevention
		}
		m.e.write(appendTLV(nil, tagSignature, value))
	}
	m.e.write([]byte{stopByte})
	return m.e.out
}

func cryptoValue() []byte {
	oid := sha256OID()
	v := append([]byte{1, byte(len(oid))}, oid...)
	return append(v, 0, 0, 0) // no signing algorithm, no RSA: it is the certificate's
}

func (v Vendor) value() []byte {
	out := []byte{1}
	for _, text := range []string{v.Firmware, v.Serial, v.Manufacturer} {
		text = text[:min(len(text), 255)]
		out = append(append(out, byte(len(text))), text...)
	}
	return out
}

func (d *Document) generalValue() []byte {
	v := append([]byte{2}, revision()...)
	var partial byte
	if d.Partial {
		partial = 1
	}
	v = append(v, partial)
	v = binary.BigEndian.AppendUint64(v, ticksOf(d.Start.UnixMicro()))
	v = binary.BigEndian.AppendUint64(v, ticksOf(d.End.UnixMicro()))
	v = binary.BigEndian.AppendUint32(v, d.Counter)
	v = binary.BigEndian.AppendUint16(v, uint16(d.Units))
	v = append(v, d.Bundle[:]...)
	return append(v, d.Link[:]...)
}
