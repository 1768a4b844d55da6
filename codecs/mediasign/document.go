package mediasign

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/nal"
)

const (
	// signatureRoom is how many bytes a signature message has for the signature:
	// the longest DER form of an ECDSA P-256 signature.
	signatureRoom = 72
	// maxHashes bounds the list of a document: what fits into a part.
	maxHashes = (0xffff - 1) / hashSize
	// flags of the reserved byte
	flagCertificates = 0x80
	flagEscaped      = 0x40
)

// Document is what one message says: the hashes of the pictures of a GOP, or of a
// part of one, and who signs (Media Signing, SEI format).
type Document struct {
	// Certificates marks a message that only brings the certificates, and covers
	// no pictures.
	Certificates bool
	// Partial says that the GOP goes on in the next document.
	Partial bool
	// Counter rises by one from document to document.
	Counter uint32
	// Start is the time of the first picture, End that of the picture after the
	// last. Both are zero where the message has no believable time; End is zero
	// in messages of version 1.
	Start, End time.Time
	// Units is the number of NAL units covered.
	Units int
	// Bundle is the hash of all their hashes.
	Bundle [hashSize]byte
	// Link is the hash of the first picture of the document before; all zero in
	// the first one since the signer began.
	Link [hashSize]byte
	// Hashes are those of the NAL units; nil where the signer saves bits.
	Hashes [][hashSize]byte
	// Vendor is what the message says of the device.
	Vendor Vendor
	// Chain holds the certificates, PEM, the signer's first.
	Chain []byte
	// Signature is what stands in the message; nil if it is not signed itself.
	Signature []byte

	// general and crypto say that the part is there.
	general, crypto bool
	// digest is what Signature signs; without one, the hash of the whole unit.
	digest [hashSize]byte
}

// first reports whether nothing was signed before this document.
func (d *Document) first() bool { return d.Link == [hashSize]byte{} }

// Find returns the document in an SEI NAL unit. found says that the unit bears
// this format's UUID; then an error, which wraps nal.ErrMalformed, says that it
// cannot be read.
func Find(codec codecs.Codec, data []byte) (d *Document, found bool, err error) {
	data = bytes.TrimRight(data, "\x00")
	if !carries(codec, data, UUID()) {
		return nil, false, nil
	}
	if d, err = parse(codec, data); err != nil {
		return nil, true, fmt.Errorf("read a media signing message: %w", err)
	}
	return d, true, nil
}

// parse reads a NAL unit whose only message is a document.
func parse(codec codecs.Codec, raw []byte) (*Document, error) {
	plain, removed := unescape(raw)
	body := plain[headerSize(codec):]
	payloadType, n, err := messageHeader(body)
	if err != nil {
		return nil, err
	}
	size, m, err := messageHeader(body[n:])
	if err != nil {
		return nil, err
	}
	body = body[n+m:]
	if payloadType != userDataUnregistered || size < 17 || size != len(body)-1 || body[size] != stopByte {
		return nil, fmt.Errorf("it is not the only message: %w", nal.ErrMalformed)
	}
	flags := body[16]
	if flags&^(flagCertificates|flagEscaped) != 0 {
		return nil, fmt.Errorf("flags %#02x are unknown: %w", flags, nal.ErrMalformed)
	}
	d := &Document{Certificates: flags&flagCertificates != 0}
	signed := len(plain)
	r := tlvReader{rest: body[17:size]}
	for len(r.rest) > 0 {
		if d.Signature != nil {
			return nil, fmt.Errorf("something follows the signature: %w", nal.ErrMalformed)
		}
		at := len(plain) - 1 - len(r.rest)
		tag, value, err := r.next()
		if err != nil {
			return nil, err
		}
		if tag == tagSignature {
			signed = at
		}
		if err := d.read(tag, value); err != nil {
			return nil, err
		}
	}
	if !d.Certificates && !d.general {
		return nil, fmt.Errorf("it says nothing about a GOP: %w", nal.ErrMalformed)
	}
	if flags&flagEscaped != 0 {
		d.digest = sha256.Sum256(raw[:escapedEnd(signed, removed)])
	} else {
		d.digest = sha256.Sum256(plain[:signed])
	}
	return d, nil
}

// read takes in one part. Unknown ones are left alone: they are signed with the rest.
func (d *Document) read(tag byte, value []byte) error {
	var err error
	switch tag {
	case tagGeneral:
		err = d.readGeneral(value)
	case tagHashes:
		err = d.readHashes(value)
	case tagSignature:
		err = d.readSignature(value)
	case tagCrypto:
		err = d.readCrypto(value)
	case tagVendor:
		err = d.readVendor(value)
	case tagCertificates:
		if len(value) < 3 || value[0] != 1 {
			err = fmt.Errorf("certificates: %w", nal.ErrMalformed)
		} else if d.Chain == nil || value[1] != 0 { // a user's certificates come before the maker's
			d.Chain = value[2:]
		}
	}
	return err
}

// readGeneral reads the general GOP information. The specification calls its
// numbers little endian; its reference implementation writes the most significant
// byte first, and so does everybody. Times tell the two apart.
func (d *Document) readGeneral(v []byte) error {
	if d.general || len(v) < 1 || v[0] < 1 || v[0] > 2 {
		return fmt.Errorf("general information: %w", nal.ErrMalformed)
	}
	times := 1
	if v[0] == 2 {
		times = 2
	}
	if len(v) != 11+8*times+2*hashSize {
		return fmt.Errorf("general information of %d bytes: %w", len(v), nal.ErrMalformed)
	}
	d.general = true
	d.Partial = v[4] != 0
	var order binary.ByteOrder = binary.BigEndian
	if timeOf(order.Uint64(v[5:])).IsZero() && !timeOf(binary.LittleEndian.Uint64(v[5:])).IsZero() {
		order = binary.LittleEndian
	}
	d.Start = timeOf(order.Uint64(v[5:]))
	if times == 2 {
		d.End = timeOf(order.Uint64(v[13:]))
	}
	rest := v[5+8*times:]
	d.Counter = order.Uint32(rest)
	d.Units = int(order.Uint16(rest[4:]))
	copy(d.Bundle[:], rest[6:])
	copy(d.Link[:], rest[6+hashSize:])
	return nil
}

func (d *Document) readHashes(v []byte) error {
	if d.Hashes != nil || len(v) < 1 || v[0] != 1 || (len(v)-1)%hashSize != 0 {
		return fmt.Errorf("list of hashes of %d bytes: %w", len(v), nal.ErrMalformed)
	}
	d.Hashes = make([][hashSize]byte, 0, (len(v)-1)/hashSize)
	for v = v[1:]; len(v) > 0; v = v[hashSize:] {
		d.Hashes = append(d.Hashes, [hashSize]byte(v))
	}
	return nil
}

func (d *Document) readSignature(v []byte) error {
	if len(v) < 4 || v[0] != 1 {
		return fmt.Errorf("signature: %w", nal.ErrMalformed)
	}
	n := int(binary.BigEndian.Uint16(v[1:]))
	if n == 0 || n > len(v)-3 {
		return fmt.Errorf("signature of %d bytes in %d: %w", n, len(v)-3, nal.ErrMalformed)
	}
	d.Signature = v[3 : 3+n]
	// What fills the rest is not signed. Others may fill it as they like.
	if d.ours() && len(bytes.Trim(v[3+n:], "\x01")) > 0 {
		return fmt.Errorf("the bytes after the signature were changed: %w", nal.ErrMalformed)
	}
	return nil
}

// sha256OID is the DER form of 2.16.840.1.101.3.4.2.1.
func sha256OID() []byte {
	return []byte{0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}
}

// readCrypto reads which hash is used. The signing algorithm follows from the
// certificate's key.
func (d *Document) readCrypto(v []byte) error {
	if len(v) < 2 || v[0] != 1 || len(v) < 2+int(v[1])+1 {
		return fmt.Errorf("cryptographic information: %w", nal.ErrMalformed)
	}
	if oid := v[2 : 2+int(v[1])]; !bytes.Equal(oid, sha256OID()) && !bytes.Equal(oid, sha256OID()[2:]) {
		return fmt.Errorf("another hash than SHA-256: %w", nal.ErrMalformed)
	}
	d.crypto = true
	return nil
}

func (d *Document) readVendor(v []byte) error {
	if len(v) < 1 || v[0] != 1 {
		return fmt.Errorf("vendor information: %w", nal.ErrMalformed)
	}
	v = v[1:]
	for _, text := range []*string{&d.Vendor.Firmware, &d.Vendor.Serial, &d.Vendor.Manufacturer} {
		if len(v) < 1 || len(v) < 1+int(v[0]) {
			return fmt.Errorf("vendor information is cut off: %w", nal.ErrMalformed)
		}
		*text, v = string(v[1:1+int(v[0])]), v[1+int(v[0]):]
	}
	return nil
}
