// Package rtppack turns units into RTP payloads (Pack, Frame) and RTP packets
// into units (Depacketizer).
package rtppack

import "github.com/sightline-cam/sightline/codecs"

// MaxPayload is the largest RTP payload made, in bytes: with the fixed RTP
// header (12) a packet of 1,200. Header extensions (12), the RTX sequence
// number (2), the SRTP tag (16) and UDP over IPv6 (48) still fit into 1,280
// bytes, the smallest MTU IPv6 allows.
const MaxPayload = 1188

// Pack returns the RTP payloads of a unit in sending order, none longer than
// MaxPayload: H.264 by RFC 6184 packetization mode 1 (single NAL units, STAP-A,
// FU-A), H.265 by RFC 7798 without DONL (single NAL units, AP, FU), Opus by
// RFC 7587, PCMU and PCMA by RFC 3551. It returns nil for a codec without a
// live RTP mapping (AAC) and for an audio frame longer than MaxPayload, which
// these formats cannot fragment.
//
// NAL units that fit are aggregated with their neighbours as long as the
// aggregate fits; a longer one is fragmented. Fragments are of full size
// (MaxPayload) except the last of a NAL unit, not balanced: both need the same
// number of packets, but this way the packets of a frame form runs of one
// constant length, each ended by a shorter packet, and one call of UDP
// segmentation offload (UDP_SEGMENT: equal sizes, only the last may be shorter)
// sends a whole frame of one slice.
//
// NAL units that RTP cannot carry (too short for their header, or of a type
// that means something else in RTP) are left out. A NAL unit that travels alone
// is not copied, so the result shares memory with the unit; all others share
// one buffer. Neither may be changed.
func Pack(c codecs.Codec, u *codecs.Unit) [][]byte {
	switch c {
	case codecs.H264:
		return packNALs(h264Layout{}, u.Payload)
	case codecs.H265:
		return packNALs(h265Layout{}, u.Payload)
	case codecs.Opus, codecs.PCMU, codecs.PCMA:
		if len(u.Payload) != 1 || len(u.Payload[0]) == 0 || len(u.Payload[0]) > MaxPayload {
			return nil
		}
		return u.Payload[:1:1]
	case codecs.AAC, codecs.Unknown:
	}
	return nil
}
