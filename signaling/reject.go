package signaling

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// RejectCode says why an offer was not answered.
type RejectCode string

// Why an offer is rejected.
const (
	// RejectForbidden: the viewer may not watch here.
	RejectForbidden RejectCode = "forbidden"
	// RejectBusy: too many sessions; try again later.
	RejectBusy RejectCode = "busy"
	// RejectBadRequest: the offer makes no sense to the publisher.
	RejectBadRequest RejectCode = "bad_request"
	// RejectNoCamera: a camera named in the offer does not exist.
	RejectNoCamera RejectCode = "no_camera"
	// RejectExpired: by the publisher's clock the offer is too old, or from the
	// future. The clock is in the rejection itself (Header.Signed); offer again
	// with it.
	RejectExpired RejectCode = "expired"
	// RejectPairingClosed: the viewer has a claim, and the publisher waits for
	// none of that kind.
	RejectPairingClosed RejectCode = "pairing_closed"
	// RejectLocked: after too many wrong tries claims are not heard for a while.
	RejectLocked RejectCode = "locked"
)

// Reject refuses an offer, instead of an answer. It ends the session.
type Reject struct {
	Header
	// OfferHash is the SHA-256 of the offer's compact JWS.
	OfferHash Token `json:"offerHash"`
	// Code is for the program.
	Code RejectCode `json:"code"`
	// Reason is a sentence for a person, at most MaxReason bytes, no control
	// characters.
	Reason string `json:"reason"`
}

// ClockOffset returns how far the publisher's clock is ahead of now, for the
// next offer after RejectExpired.
func (r *Reject) ClockOffset(now time.Time) time.Duration {
	return r.Signed().Sub(now)
}

func (r *Reject) kind() Type { return TypeReject }

func (r *Reject) validate() error {
	if err := r.Header.validate(); err != nil {
		return err
	}
	if r.Seq != 1 {
		return fmt.Errorf("%w: a reject's seq is not 1", ErrMessage)
	}
	if err := r.OfferHash.check("offerHash", HashSize); err != nil {
		return err
	}
	switch r.Code {
	case RejectForbidden, RejectBusy, RejectBadRequest, RejectNoCamera, RejectExpired,
		RejectPairingClosed, RejectLocked:
	default:
		return fmt.Errorf("%w: unknown reject code", ErrMessage)
	}
	return checkReason(r.Reason)
}

// checkReason keeps what is shown to people short and on one line.
func checkReason(s string) error {
	if len(s) > MaxReason {
		return fmt.Errorf("%w: a reason has at most %d bytes", ErrMessage, MaxReason)
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("%w: a reason has no control characters", ErrMessage)
	}
	return nil
}
