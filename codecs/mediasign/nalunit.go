package mediasign

import (
	"bytes"
	"crypto/sha256"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
)

// kind is what a NAL unit is to the signature.
type kind uint8

const (
	// The zero value carries nothing: delimiters, filler, ends of sequence and
	// stream, and what a decoder does not know.
	_ kind = iota
	// picture ones are hashed (Media Signing, Basic rules: all VCL NAL units).
	picture
	// parameterSet and message ones are left out by the specification; our own
	// signatures cover them by a digest of their own (sideDigest).
	parameterSet
	message
)

// unit is a NAL unit and what it is.
type unit struct {
	kind kind
	// primary says that a picture begins, start that it is one at which decoding
	// can start: a GOP begins.
	primary, start bool
	// set tells the types of parameter sets apart.
	set byte
	// data is the unit without zero bytes at its end.
	data []byte
}

// classify says what a NAL unit is.
func classify(codec codecs.Codec, data []byte) unit {
	data = bytes.TrimRight(data, "\x00")
	u := unit{data: data}
	switch codec {
	case codecs.H264:
		classify264(&u)
	case codecs.H265:
		classify265(&u)
	default:
	}
	return u
}

func classify264(u *unit) {
	if len(u.data) == 0 {
		return
	}
	switch t := h264.TypeOf(u.data); {
	case t.VCL():
		u.kind = picture
		u.primary = len(u.data) > 1 && u.data[1]&0x80 != 0 // first_mb_in_slice is 0
		u.start = u.primary && t == h264.IDR
	case t == h264.SPS, t == h264.PPS, t == h264.SPSExtension, t == h264.SubsetSPS:
		u.kind, u.set = parameterSet, byte(t)
	case t == h264.SEI:
		u.kind = message
	}
}

func classify265(u *unit) {
	switch t := h265.TypeOf(u.data); {
	case t.VCL():
		u.kind = picture
		u.primary = len(u.data) > 2 && u.data[2]&0x80 != 0 // first_slice_segment_in_pic_flag
		u.start = u.primary && t.IRAP()
	case t == h265.VPS, t == h265.SPS, t == h265.PPS:
		u.kind, u.set = parameterSet, byte(t)
	case t == h265.PrefixSEI, t == h265.SuffixSEI:
		u.kind = message
	}
}

// headerSize is the length of a NAL unit header.
func headerSize(codec codecs.Codec) int {
	if codec == codecs.H265 {
		return 2
	}
	return 1
}

// link returns the hash by which a picture is bound to the key frame of its GOP
// (Media Signing, Signing a GOP): anchor is the hash of that.
func link(anchor, plain [hashSize]byte) [hashSize]byte {
	var both [2 * hashSize]byte
	copy(both[:], anchor[:])
	copy(both[hashSize:], plain[:])
	return sha256.Sum256(both[:])
}
