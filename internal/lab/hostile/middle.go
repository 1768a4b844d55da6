package hostile

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// MiddleOptions configure a Middle. The zero value opens everything and changes
// nothing but what it must to stay in the middle.
type MiddleOptions struct {
	// Identity is the attacker's key. Default: a new one.
	Identity *identity.Identity
	// Alter changes a message before it is signed and sealed again: one of
	// *signaling.Offer, *Answer, *Reject, *Candidate and *Bye. It runs in the
	// goroutine of the sender's connection, and must not call the Middle. Nil
	// changes nothing.
	Alter func(m signaling.Message)
	// Resign replaces the attacker's signature by another forgery of the JWS
	// over text. Default: identity.Sign with Identity.
	Resign func(text []byte) (string, error)
}

// SwapOffers is an Alter that puts the attacker's fingerprint into offers,
// SwapAnswers one for answers, SwapBoth one for both.
func SwapOffers(attacker *identity.Identity) func(signaling.Message) {
	return swap(attacker, func(m signaling.Message) bool { _, ok := m.(*signaling.Offer); return ok })
}

// SwapAnswers puts the attacker's fingerprint into answers.
func SwapAnswers(attacker *identity.Identity) func(signaling.Message) {
	return swap(attacker, func(m signaling.Message) bool { _, ok := m.(*signaling.Answer); return ok })
}

// SwapBoth puts the attacker's fingerprint into offers and answers.
func SwapBoth(attacker *identity.Identity) func(signaling.Message) {
	return swap(attacker, func(signaling.Message) bool { return true })
}

func swap(attacker *identity.Identity, when func(signaling.Message) bool) func(signaling.Message) {
	fingerprint := Fingerprint(attacker)
	return func(m signaling.Message) {
		if sdp := SDP(m); sdp != nil && when(m) {
			*sdp = SwapFingerprint(*sdp, fingerprint)
		}
	}
}

// Middle is a man in the middle of the messages: it answers lookups with its
// own key, so that it can open what is sealed with it; it signs what it changes
// with its own key, in the name of whoever it is from, and mends hashes,
// transcripts and keys, so that each end sees one consistent handshake.
//
// Whatever it cannot open it passes on as it is, and counts.
type Middle struct {
	// constant after construction
	*impostor
	o MiddleOptions

	mu sync.Mutex
	// guarded by mu
	calls map[signaling.Token]*call // by session
	seen  []Opened
	blind int
}

// call is one session, as the attacker knows it. Guarded by Middle.mu.
type call struct {
	publisher               identity.PeerID
	viewerKey, publisherKey identity.AgreementKey
	// What each end signed, and what the other was given for it.
	offer, forgedOffer   string
	answer, forgedAnswer string
}

// NewMiddle puts a man into the middle of everything that goes over s, by
// setting its hooks.
func NewMiddle(s *Server, o MiddleOptions) (*Middle, error) {
	if o.Identity == nil {
		id, err := identity.Generate()
		if err != nil {
			return nil, fmt.Errorf("hostile: %w", err)
		}
		o.Identity = id
	}
	if o.Alter == nil {
		o.Alter = func(signaling.Message) {}
	}
	if o.Resign == nil {
		o.Resign = func(text []byte) (string, error) { return identity.Sign(o.Identity, text) }
	}
	m := &Middle{impostor: newImpostor(s, o.Identity), o: o, calls: map[signaling.Token]*call{}}
	s.OnLookup(m.lookup)
	s.OnSend(m.send)
	return m, nil
}

// Opened returns the messages that the attacker could read, in order.
func (m *Middle) Opened() []Opened {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.seen)
}

// Blind returns how many messages it could not open.
func (m *Middle) Blind() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.blind
}

func (m *Middle) send(from, to identity.PeerID, payload string) []Delivery {
	opened, err := Open(m.id, payload)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.blind++
		return Pass(from, to, payload)
	}
	m.seen = append(m.seen, opened)
	forged, err := m.forgeLocked(from, to, opened)
	if err != nil {
		m.fail(err)
		return nil
	}
	return Pass(from, to, forged)
}

// forgeLocked makes what the other end gets instead of a message.
func (m *Middle) forgeLocked(from, to identity.PeerID, in Opened) (string, error) {
	msg, err := clone(in.Message)
	if err != nil {
		return "", err
	}
	if offer, ok := msg.(*signaling.Offer); ok {
		return m.forgeOfferLocked(to, in.JWS, offer)
	}
	c := m.calls[msg.Head().Session]
	if c == nil {
		return "", errors.New("hostile: a message of a session without offer")
	}
	key, transcript := c.publisherKey, signaling.Transcript(c.forgedOffer, c.answer)
	if from == c.publisher {
		key, transcript = c.viewerKey, signaling.Transcript(c.offer, c.forgedAnswer)
	}
	switch msg := msg.(type) {
	case *signaling.Answer:
		msg.OfferHash = signaling.HashOf(c.offer)
	case *signaling.Reject:
		msg.OfferHash = signaling.HashOf(c.offer)
	case *signaling.Candidate:
		msg.Transcript = transcript
	case *signaling.Bye:
		msg.Transcript = transcript
	}
	jws, payload, err := m.sealed(key, msg)
	if _, ok := msg.(*signaling.Answer); ok {
		c.answer, c.forgedAnswer = in.JWS, jws
	}
	return payload, err
}

func (m *Middle) forgeOfferLocked(to identity.PeerID, genuine string, offer *signaling.Offer) (string, error) {
	key, err := keyIn(m.server.Statement(to))
	if err != nil {
		return "", err
	}
	c := &call{publisher: to, viewerKey: offer.Key, publisherKey: key, offer: genuine}
	m.calls[offer.Session] = c
	offer.Key = m.id.AgreementKey() // or it could not read the answer
	var payload string
	c.forgedOffer, payload, err = m.sealed(key, offer)
	return payload, err
}

// sealed alters, signs and seals a message.
func (m *Middle) sealed(to identity.AgreementKey, msg signaling.Message) (jws, payload string, err error) {
	m.o.Alter(msg)
	text, err := signaling.EncodeMessage(msg)
	if err != nil {
		return "", "", fmt.Errorf("hostile: forge: %w", err)
	}
	if jws, err = m.o.Resign(text); err != nil {
		return "", "", fmt.Errorf("hostile: forge: %w", err)
	}
	payload, err = identity.Seal(to, []byte(jws))
	return jws, payload, err
}

// clone returns a message that can be changed: Opened keeps the original.
func clone(m signaling.Message) (signaling.Message, error) {
	text, err := signaling.EncodeMessage(m)
	if err != nil {
		return nil, fmt.Errorf("hostile: %w", err)
	}
	return signaling.DecodeMessage(text)
}
