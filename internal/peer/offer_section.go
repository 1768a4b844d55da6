package peer

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
)

// maxOffered is how many candidates an offer may have: each costs packets to
// wherever it points (RFC 8445 §6.1.2.5).
const maxOffered = 128

// section is a media section of an offer.
type section struct {
	mid, kind string
	receives  bool // the viewer takes media there
}

func parseOffer(text string) ([]section, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, fmt.Errorf("%w: it is not a session description: %w", ErrBadOffer, err)
	}
	if n := strings.Count(text, "a=candidate:"); n > maxOffered {
		return nil, fmt.Errorf("%w: it has %d candidates, at most %d are allowed", ErrBadOffer, n, maxOffered)
	}
	if len(d.MediaDescriptions) == 0 || len(d.MediaDescriptions) > maxSections {
		return nil, fmt.Errorf("%w: it has %d media sections, 1 to %d are allowed", ErrBadOffer, len(d.MediaDescriptions), maxSections)
	}
	var out []section
	seen := make(map[string]bool, len(d.MediaDescriptions))
	for _, m := range d.MediaDescriptions {
		mid, ok := m.Attribute("mid")
		if !ok || mid == "" {
			return nil, fmt.Errorf("%w: a media section has no mid", ErrBadOffer)
		}
		if seen[mid] {
			return nil, fmt.Errorf("%w: two media sections have the mid %.20q", ErrBadOffer, mid)
		}
		seen[mid] = true
		switch k := m.MediaName.Media; k {
		case "video", "audio":
			out = append(out, section{mid: mid, kind: k, receives: receives(m)})
		case "application":
		default:
			return nil, fmt.Errorf("%w: it has a section of kind %.20q", ErrBadOffer, k)
		}
	}
	return out, nil
}

// receives reports whether a section's direction, the first one it has as pion
// reads it, lets the viewer take media.
func receives(m *sdp.MediaDescription) bool {
	if m.MediaName.Port.Value == 0 && !hasAttribute(m, "bundle-only") {
		return false
	}
	for _, a := range m.Attributes {
		switch a.Key {
		case "recvonly", "sendrecv":
			return true
		case "sendonly", "inactive":
			return false
		}
	}
	return false
}

func hasAttribute(m *sdp.MediaDescription, key string) bool {
	_, ok := m.Attribute(key)
	return ok
}
