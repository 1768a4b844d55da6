// Package rtppack turns units into RTP payloads and RTP payloads into units.
package rtppack

import "github.com/sightline-cam/sightline/codecs"

// MaxPayload is the largest RTP payload made, in bytes. With RTP header,
// header extensions (20), RTX (2), SRTP tag (16), UDP and IPv6 headers it stays
// inside 1,280 bytes, the smallest IPv6 MTU.
const MaxPayload = 1170

// Pack returns the RTP payloads of a unit: RFC 6184 (packetization mode 1),
// RFC 7798, RFC 7587, RFC 3551; none for a codec that has no live RTP mapping.
func Pack(c codecs.Codec, u *codecs.Unit) [][]byte { return nil }
