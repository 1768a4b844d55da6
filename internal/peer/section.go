package peer

import (
	"fmt"

	"github.com/pion/webrtc/v4"
)

// Section is one audio or video section of an offer.
type Section struct {
	MID  string // media identification tag, RFC 8843
	Kind string // "video" or "audio"
}

// Sections lists the audio and video sections of an offer, in order; the data
// section is left out.
func Sections(sdp string) ([]Section, error) {
	d := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}
	parsed, err := d.Unmarshal()
	if err != nil {
		return nil, fmt.Errorf("peer: parse an offer: %w", err)
	}
	var out []Section
	for _, m := range parsed.MediaDescriptions {
		kind := m.MediaName.Media
		if kind != "video" && kind != "audio" {
			continue
		}
		mid, ok := m.Attribute("mid")
		if !ok || mid == "" {
			return nil, fmt.Errorf("peer: parse an offer: a %s section without mid", kind)
		}
		out = append(out, Section{MID: mid, Kind: kind})
	}
	return out, nil
}
