package agent

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/sightline-cam/sightline/codecs"
)

// offerFacts is what WHEP has to know of an offer before it is answered.
type offerFacts struct {
	// video and audio are the encoding names of the sections that can receive,
	// in lower case; nil without such a section.
	video, audio map[string]bool
	// ice are the ICE credentials, as "ufrag:pwd".
	ice map[string]bool
}

var errOffer = errors.New("not an offer to receive")

// readOffer reads an SDP offer (RFC 8866, RFC 8829). Errors wrap errOffer.
func readOffer(text string) (*offerFacts, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, fmt.Errorf("%w: it is not a session description", errOffer)
	}
	f := &offerFacts{ice: make(map[string]bool)}
	sessionUfrag, _ := d.Attribute("ice-ufrag")
	sessionPwd, _ := d.Attribute("ice-pwd")
	for _, m := range d.MediaDescriptions {
		ufrag, pwd := sessionUfrag, sessionPwd
		if v, ok := m.Attribute("ice-ufrag"); ok {
			ufrag = v
		}
		if v, ok := m.Attribute("ice-pwd"); ok {
			pwd = v
		}
		if ufrag != "" && pwd != "" {
			f.ice[ufrag+":"+pwd] = true
		}
		if !receives(&d, m) {
			continue
		}
		switch m.MediaName.Media {
		case "video":
			f.video = encodings(f.video, m)
		case "audio":
			f.audio = encodings(f.audio, m)
		}
	}
	switch {
	case f.video == nil && f.audio == nil:
		return nil, fmt.Errorf("%w: it has no video or audio section that receives", errOffer)
	case len(f.ice) == 0:
		return nil, fmt.Errorf("%w: it has no ICE credentials", errOffer)
	}
	return f, nil
}

// receives reports whether a section's direction (RFC 8866 §6.7) lets it.
func receives(d *sdp.SessionDescription, m *sdp.MediaDescription) bool {
	for _, has := range []func(string) (string, bool){m.Attribute, d.Attribute} {
		for _, direction := range []string{"sendrecv", "recvonly", "sendonly", "inactive"} {
			if _, ok := has(direction); ok {
				return direction == "sendrecv" || direction == "recvonly"
			}
		}
	}
	return true // sendrecv is the default
}

// encodings adds the encoding names of a section's a=rtpmap lines, and those
// that static payload types stand for (RFC 3551 §6).
func encodings(to map[string]bool, m *sdp.MediaDescription) map[string]bool {
	if to == nil {
		to = make(map[string]bool)
	}
	for _, format := range m.MediaName.Formats {
		switch format {
		case "0":
			to["pcmu"] = true
		case "8":
			to["pcma"] = true
		}
	}
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		_, encoding, _ := strings.Cut(a.Value, " ")
		name, _, _ := strings.Cut(encoding, "/")
		to[strings.ToLower(name)] = true
	}
	return to
}

// takes reports whether the offer's sections for the codec's kind can carry
// it; an offer without such a section does not want any.
func (f *offerFacts) takes(c codecs.Codec) bool {
	sections, name := f.video, ""
	switch c {
	case codecs.H264:
		name = "h264"
	case codecs.H265:
		name = "h265"
	case codecs.Opus:
		sections, name = f.audio, "opus"
	case codecs.PCMU:
		sections, name = f.audio, "pcmu"
	case codecs.PCMA:
		sections, name = f.audio, "pcma"
	case codecs.AAC, codecs.Unknown:
		return true
	}
	return sections == nil || sections[name]
}
