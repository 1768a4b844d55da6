package signaling

import (
	"fmt"
	"strings"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Offer opens a session. The viewer sends it; it is the session's first
// message, with Seq 1.
type Offer struct {
	Header
	// Nonce is fresh for every offer: 16 bytes. The answer repeats it.
	Nonce Token `json:"nonce"`
	// Key is the viewer's, to which the answer and everything later is sealed.
	Key identity.AgreementKey `json:"key"`
	// Claim says that the viewer has a secret to show instead of a right to
	// watch: the session is for proving it.
	Claim Claim `json:"claim"`
	// Grants are what gives the viewer its rights: at most MaxGrants compact
	// JWS. Owners have none.
	Grants []string `json:"grants"`
	// SDP is the session description (RFC 8829), at most MaxSDP bytes.
	SDP string `json:"sdp"`
	// Media says which camera each audio and video section is to carry, at most
	// MaxMedia. The data channel's section has no entry.
	Media []Media `json:"media"`
}

// Claim says what secret a viewer wants to show.
type Claim string

// The claims.
const (
	ClaimNone   Claim = ""
	ClaimPair   Claim = "pair"
	ClaimInvite Claim = "invite"
)

// Media asks for one camera in one media section of the offer.
type Media struct {
	// MID is the section's media identification tag: 1 to MaxMID token
	// characters (RFC 8843 §8), unique in the offer.
	MID string `json:"mid"`
	// Camera is a camera id, or "" for the publisher's first camera.
	Camera string `json:"camera"`
}

func (o *Offer) kind() Type { return TypeOffer }

func (o *Offer) validate() error {
	if err := o.Header.validate(); err != nil {
		return err
	}
	if o.Seq != 1 {
		return fmt.Errorf("%w: an offer's seq is not 1", ErrMessage)
	}
	if err := o.Nonce.check("nonce", SessionSize); err != nil {
		return err
	}
	if err := o.Key.Validate(); err != nil {
		return fmt.Errorf("%w: key: %w", ErrMessage, err)
	}
	switch o.Claim {
	case ClaimNone, ClaimPair, ClaimInvite:
	default:
		return fmt.Errorf("%w: unknown claim", ErrMessage)
	}
	if err := checkGrants(o.Grants); err != nil {
		return err
	}
	if err := checkSDP(o.SDP); err != nil {
		return err
	}
	return ValidateMedia(o.Media)
}

// ValidateMedia checks a list of media against the limits of the protocol; the
// renegotiation over the data channel carries the same list. Errors wrap
// ErrMessage.
func ValidateMedia(media []Media) error {
	if len(media) > MaxMedia {
		return fmt.Errorf("%w: more than %d media", ErrMessage, MaxMedia)
	}
	seen := make(map[string]bool, len(media))
	for _, m := range media {
		if m.MID == "" {
			return fmt.Errorf("%w: a medium without mid", ErrMessage)
		}
		if err := checkMID(m.MID); err != nil {
			return err
		}
		if seen[m.MID] {
			return fmt.Errorf("%w: a mid appears twice", ErrMessage)
		}
		seen[m.MID] = true
		if m.Camera == "" {
			continue
		}
		if err := ValidateCameraID(m.Camera); err != nil {
			return err
		}
	}
	return nil
}

// ValidateCameraID checks a camera's id: 1 to MaxCameraID of a-z, 0-9, '-' and
// '_', beginning with a letter or a digit. Errors wrap ErrMessage.
func ValidateCameraID(id string) error {
	if id == "" || len(id) > MaxCameraID {
		return fmt.Errorf("%w: a camera id has 1 to %d characters", ErrMessage, MaxCameraID)
	}
	for i, c := range []byte(id) {
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || c != '-' && c != '_') {
			return fmt.Errorf("%w: a camera id is made of a-z, 0-9, - and _", ErrMessage)
		}
	}
	return nil
}

// checkGrants bounds the grants without looking into them.
func checkGrants(grants []string) error {
	if len(grants) > MaxGrants {
		return fmt.Errorf("%w: more than %d grants", ErrMessage, MaxGrants)
	}
	total := 0
	for _, g := range grants {
		if total += len(g); total > MaxGrantsTotal {
			return fmt.Errorf("%w: the grants have more than %d bytes", ErrMessage, MaxGrantsTotal)
		}
		if err := checkPayload(g); err != nil {
			return fmt.Errorf("%w: a grant is a compact JWS", ErrMessage)
		}
	}
	return nil
}

func checkSDP(sdp string) error {
	if sdp == "" || len(sdp) > MaxSDP {
		return fmt.Errorf("%w: an sdp has 1 to %d bytes", ErrMessage, MaxSDP)
	}
	// RFC 8866 §5: text lines, no NUL.
	if strings.ContainsRune(sdp, 0) {
		return fmt.Errorf("%w: an sdp with a NUL in it", ErrMessage)
	}
	return nil
}

// checkMID accepts "" and the token characters of RFC 8866 §9.
func checkMID(mid string) error {
	if len(mid) > MaxMID {
		return fmt.Errorf("%w: a mid has at most %d characters", ErrMessage, MaxMID)
	}
	for _, c := range []byte(mid) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]`, c) >= 0 {
			return fmt.Errorf("%w: a mid is made of token characters", ErrMessage)
		}
	}
	return nil
}
