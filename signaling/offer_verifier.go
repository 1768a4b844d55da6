package signaling

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// OfferVerifierOptions configures an OfferVerifier. Identity is required; with
// nothing else set, nobody is allowed.
type OfferVerifierOptions struct {
	// Identity is the publisher's own.
	Identity *identity.Identity
	// Authorize returns nil if the viewer of an offer (its From) may open a
	// session. It is called for every genuine offer, by several goroutines. An
	// error that is a *Denial says what the viewer is told. Nil allows nobody.
	Authorize func(o *Offer) error
	// ClockSkew is how far a viewer's clock may be behind or ahead. Default 2
	// minutes, negative for none.
	ClockSkew time.Duration
	// EarliestClock is the earliest time that a local clock may show and be
	// believed. Default the start of 2026.
	EarliestClock time.Time
	// NoncesPerViewer bounds how many unexpired offers of one viewer are
	// remembered. Default 64.
	NoncesPerViewer int
	// Viewers bounds how many viewers are remembered. Default 1024. Those who come
	// with a claim, who may be anybody, are remembered apart, at most 256.
	Viewers int
}

const (
	// maxClaimants bounds the viewers with a claim that are remembered.
	maxClaimants = 256
	// maxAheadYears is how far after EarliestClock a viewer may put the time of a
	// publisher that has none of its own: what is more could not be told to
	// others, who would then be locked out.
	maxAheadYears = 100
)

// OfferVerifier is the publisher's gate: it decides which offers open a
// session. Freshness rests on a bounded memory of the offers seen, not on
// clocks alone: a camera that wakes in 1970 or that was given local time for
// UTC still lets its owner in, by way of RejectExpired at worst. Safe for
// concurrent use.
type OfferVerifier struct {
	// constant after construction
	id        *identity.Identity
	authorize func(*Offer) error
	skew      time.Duration
	earliest  time.Time

	forbidden *rate.Limiter // answers to those who are not allowed; safe by itself

	mu sync.Mutex
	// guarded by mu
	seen       *seenOffers
	claims     *seenOffers // offers with a claim: strangers' may not flush the others
	lastSigned time.Time   // the latest time that an accepted offer was signed; claims do not count
}

// refusalRate, per second, and refusalBurst bound what is answered to those who
// are not allowed, all together. A signaling server takes so much a second of
// one peer, 20 frames by default: identities are free, and a few strangers that
// are all answered would leave nothing for the answers to those who may watch.
const (
	refusalRate  = 2
	refusalBurst = 10
)

// NewOfferVerifier returns a verifier that has seen nothing yet.
func NewOfferVerifier(o OfferVerifierOptions) (*OfferVerifier, error) {
	if o.Identity == nil {
		return nil, errors.New("verify offers: no identity given")
	}
	if o.Authorize == nil {
		o.Authorize = func(*Offer) error { return ErrForbidden }
	}
	if o.ClockSkew == 0 {
		o.ClockSkew = 2 * time.Minute
	}
	if o.EarliestClock.IsZero() {
		o.EarliestClock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if o.NoncesPerViewer <= 0 {
		o.NoncesPerViewer = 64
	}
	if o.Viewers <= 0 {
		o.Viewers = 1024
	}
	return &OfferVerifier{
		id:        o.Identity,
		authorize: o.Authorize,
		skew:      max(0, o.ClockSkew),
		earliest:  o.EarliestClock,
		forbidden: rate.NewLimiter(refusalRate, refusalBurst),
		seen:      newSeenOffers(o.Viewers, o.NoncesPerViewer),
		claims:    newSeenOffers(min(o.Viewers, maxClaimants), o.NoncesPerViewer),
	}, nil
}

// Accept decides on an offer. Errors: ErrUnexpected for a message that is no
// offer, ErrNotForMe, ErrForbidden, ErrExpired, ErrReplayed. Only allowed
// viewers leave a trace in the memory of offers, so strangers cannot flush it, and
// claims leave none in that of all others.
// Refuse turns an error into what may be answered.
func (v *OfferVerifier) Accept(now time.Time, in Signed) (*PublisherSession, error) {
	o, ok := in.message.(*Offer)
	if !ok {
		return nil, fmt.Errorf("%w: %s instead of an offer", ErrUnexpected, in.message.kind())
	}
	if !check.Off(check.Receiver) && (o.To != v.id.PeerID() || o.From == v.id.PeerID()) {
		return nil, check.Refused(check.Receiver, ErrNotForMe)
	}
	if err := v.authorize(o); err != nil {
		return nil, check.Refused(check.Allowed, fmt.Errorf("%w: %w", ErrForbidden, err))
	}
	if err := v.remember(now, o); err != nil {
		return nil, err
	}
	return v.session(in, o), nil
}

func (v *OfferVerifier) session(in Signed, o *Offer) *PublisherSession {
	return &PublisherSession{
		offer:    o,
		offerJWS: in.compact,
		exchange: exchange{id: v.id, peer: o.From, peerKey: o.Key, session: o.Session, received: o.Seq},
	}
}

// remember checks an offer's freshness and notes that it was seen.
func (v *OfferVerifier) remember(now time.Time, o *Offer) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	clock := v.clockLocked(now)
	oldest, newest := clock.Add(-v.skew).Unix(), v.earliest.AddDate(maxAheadYears, 0, 0).Unix()
	if !now.Before(v.earliest) {
		// An offer from the future would have to be remembered until then, and
		// would push a viewer whose clock is set right out of the memory.
		newest = clock.Add(Lifetime + v.skew).Unix()
	}
	if !check.Off(check.Freshness) && (o.Exp < oldest || o.Exp > newest) {
		return check.Refused(check.Freshness, ErrExpired)
	}
	seen := v.seen
	if o.Claim != ClaimNone {
		seen = v.claims
	}
	if err := seen.add(o.From, o.Nonce, o.Exp, oldest, newest); !check.Off(check.Replay) && err != nil {
		return check.Refused(check.Replay, err)
	}
	if signed := o.Signed(); o.Claim == ClaimNone && signed.After(v.lastSigned) {
		v.lastSigned = signed
	}
	return nil
}

// clockLocked returns the time that offers are compared with: the local one if
// it can be right, else the later of it and the last signed time of an accepted
// offer. A believable clock is never pushed forward by a viewer's, or one
// viewer with a wrong clock would lock out the others.
func (v *OfferVerifier) clockLocked(now time.Time) time.Time {
	if !now.Before(v.earliest) || now.After(v.lastSigned) {
		return now
	}
	return v.lastSigned
}

// Refuse returns the sealed rejection that tells a viewer why Accept failed
// with cause, to be sent to in's sender. send is false where silence is right:
// a replay or a message for somebody else is not the sender's doing, and in a
// flood of offers by those who are not allowed only some are answered.
func (v *OfferVerifier) Refuse(now time.Time, in Signed, cause error) (compact string, send bool, err error) {
	code, reason := RejectForbidden, "You are not allowed to watch here. Ask the owner for access."
	switch {
	case errors.Is(cause, ErrForbidden):
		if !v.forbidden.AllowN(now, 1) {
			return "", false, nil
		}
		if d, ok := errors.AsType[*Denial](cause); ok {
			code, reason = d.Code, d.Reason
		}
	case errors.Is(cause, ErrExpired):
		code, reason = RejectExpired, "The clocks of the camera and of this device differ. Set them right."
	default:
		return "", false, nil
	}
	o, ok := in.message.(*Offer)
	if !ok {
		return "", false, nil
	}
	v.mu.Lock()
	now = v.clockLocked(now)
	v.mu.Unlock()
	compact, err = v.session(in, o).Reject(now, code, reason)
	return compact, err == nil, err
}
