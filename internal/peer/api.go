package peer

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/codecs"
)

// h264Profiles are the profile-level-ids offered and accepted. High is not in
// every browser's list, but all of them decode it when it comes under another
// name.
func h264Profiles() []string {
	return []string{"42e01f", "42001f", "4d001f", "64001f", "640c1f", "f4001f"}
}

// newMediaEngine knows the codecs of live video and audio with their feedback
// messages and header extensions.
func newMediaEngine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "transport-cc"}}
	pt := webrtc.PayloadType(96)
	video := func(mime, fmtp string) error {
		err := m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime, ClockRate: 90000, SDPFmtpLine: fmtp, RTCPFeedback: feedback},
			PayloadType:        pt,
		}, webrtc.RTPCodecTypeVideo)
		if err != nil {
			return fmt.Errorf("register %s: %w", mime, err)
		}
		err = m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=" + strconv.Itoa(int(pt))},
			PayloadType:        pt + 1,
		}, webrtc.RTPCodecTypeVideo)
		if err != nil {
			return fmt.Errorf("register rtx of %s: %w", mime, err)
		}
		pt += 2
		return nil
	}
	for _, p := range h264Profiles() {
		if err := video(webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="+p); err != nil {
			return nil, err
		}
	}
	if err := video(webrtc.MimeTypeH265, ""); err != nil {
		return nil, err
	}
	for _, c := range []webrtc.RTPCodecParameters{
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}, PayloadType: 120},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}, PayloadType: 0},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMA, ClockRate: 8000}, PayloadType: 8},
	} {
		if err := m.RegisterCodec(c, webrtc.RTPCodecTypeAudio); err != nil {
			return nil, fmt.Errorf("register %s: %w", c.MimeType, err)
		}
	}
	for _, uri := range []string{transportCCURI, playoutDelayURI} {
		if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, fmt.Errorf("register %s: %w", uri, err)
		}
	}
	return m, nil
}

func codecOf(mime string) codecs.Codec {
	switch strings.ToLower(mime) {
	case strings.ToLower(webrtc.MimeTypeH264):
		return codecs.H264
	case strings.ToLower(webrtc.MimeTypeH265):
		return codecs.H265
	case strings.ToLower(webrtc.MimeTypeOpus):
		return codecs.Opus
	case strings.ToLower(webrtc.MimeTypePCMU):
		return codecs.PCMU
	case strings.ToLower(webrtc.MimeTypePCMA):
		return codecs.PCMA
	}
	return codecs.Unknown
}

// payloadTypes returns the payload type to send each codec with: the first
// that was negotiated, for H.264 the first with packetization mode 1.
func payloadTypes(negotiated []webrtc.RTPCodecParameters) map[codecs.Codec]uint8 {
	m := map[codecs.Codec]uint8{}
	for _, p := range negotiated {
		c := codecOf(p.MimeType)
		if c == codecs.Unknown || (c == codecs.H264 && !strings.Contains(p.SDPFmtpLine, "packetization-mode=1")) {
			continue
		}
		if _, ok := m[c]; !ok {
			m[c] = uint8(p.PayloadType)
		}
	}
	return m
}

// rtxTypes maps payload types to those of their retransmissions (RFC 4588 §8).
func rtxTypes(negotiated []webrtc.RTPCodecParameters) map[uint8]uint8 {
	m := map[uint8]uint8{}
	for _, p := range negotiated {
		if !strings.EqualFold(p.MimeType, webrtc.MimeTypeRTX) {
			continue
		}
		for field := range strings.SplitSeq(p.SDPFmtpLine, ";") {
			if apt, ok := strings.CutPrefix(strings.TrimSpace(field), "apt="); ok {
				if n, err := strconv.ParseUint(apt, 10, 7); err == nil {
					m[uint8(n)] = uint8(p.PayloadType)
				}
			}
		}
	}
	return m
}

// randomSeq returns a first sequence number; below 2^15, so that the rollover
// counter of SRTP starts out the same on both sides (RFC 3711 §3.3.1).
func randomSeq() uint16 { return uint16(randomUint32() & 0x7fff) } // masked

func randomUint32() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:])
}
