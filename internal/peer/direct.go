package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
	"golang.org/x/time/rate"
)

const (
	// DirectPrefix is what the ICE fragment of a direct call begins with.
	DirectPrefix = "sl"
	// DirectLength is how many characters it has; an ICE fragment has at most 256
	// (RFC 8839 §5.4).
	DirectLength = 197
	maxFragment  = 256
	// directPassword stands for the viewer's ICE password, which nobody here knows:
	// a lite agent never needs it.
	directPassword = "unknownunknownunknown+"
	// maxCalls bounds the calls that are being admitted, and how many refused
	// fragments are remembered.
	maxCalls        = 16
	maxRefusedCalls = 256
	// callsPerSecond is how many fragments nobody knows are looked at.
	callsPerSecond = 200
)

// DirectHandler admits viewers who dial without any signaling.
type DirectHandler interface {
	// Password returns what proves a fragment; false if it is none of this
	// publisher's, or has expired. It is asked for every unknown fragment, from the
	// goroutine that reads the port.
	Password(fragment string) (password string, ok bool)
	// Call takes a call whose sender knows the password, on a goroutine of its own.
	// It answers by Endpoint.AnswerDirect or does nothing; a fragment is not called
	// with again while the session lives, or for a while after an error.
	Call(c DirectCall) error
}

// DirectCall is a viewer who dials a known address without signaling: both sides
// make up the other's description (the idea is libp2p's WebRTC-Direct). The
// viewer has chosen a fragment for this side, with everything in it that is to be
// known of it, and has taken this side for a lite agent (RFC 8445 §2.5).
type DirectCall struct {
	// Fragment and Password are this side's ICE credentials.
	Fragment, Password string
	// ViewerFragment is the viewer's own.
	ViewerFragment string
	// From is where the request came from.
	From netip.AddrPort
}

// directCalls are the direct calls of an endpoint.
type directCalls struct {
	handler DirectHandler // constant
	limit   *rate.Limiter

	mu      sync.Mutex
	live    map[string]*Session // by fragment; nil while one is being admitted
	pending int
	refused []string // the last ones
	closed  bool
	running sync.WaitGroup
}

func newDirectCalls(h DirectHandler) *directCalls {
	return &directCalls{handler: h, limit: rate.NewLimiter(callsPerSecond, 2*callsPerSecond), live: map[string]*Session{}}
}

// request sees every STUN request that comes to the port. The first one of a call
// is answered by nobody; browsers send the next within a tenth of a second.
func (d *directCalls) request(p []byte, from netip.AddrPort) (taken bool) {
	own, theirs, ok := directFragment(p)
	if !ok {
		return false
	}
	if s := d.session(own); s != nil {
		return s.holdsBack(p, from)
	}
	if !d.begin(own) {
		return false
	}
	password, ok := d.handler.Password(own)
	if ok {
		m := &stun.Message{Raw: slices.Clone(p)}
		ok = m.Decode() == nil && stun.NewShortTermIntegrity(password).Check(m) == nil
	}
	if !ok {
		d.end(own, false)
		return false
	}
	d.running.Go(func() {
		if err := d.handler.Call(DirectCall{own, password, theirs, from}); err != nil {
			d.end(own, true)
			return
		}
		d.mu.Lock()
		d.pending--
		d.mu.Unlock()
	})
	return false
}

// session returns the session of a fragment; nil for none.
func (d *directCalls) session(fragment string) *Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.live[fragment]
}

// answered enters the session of a fragment that is being admitted.
func (d *directCalls) answered(fragment string, s *Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.live[fragment]; ok {
		d.live[fragment] = s
	}
}

// begin reports whether a fragment is to be looked at.
func (d *directCalls) begin(fragment string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, live := d.live[fragment]
	if d.closed || live || slices.Contains(d.refused, fragment) || d.pending >= maxCalls || !d.limit.Allow() {
		return false
	}
	d.live[fragment] = nil
	d.pending++
	return true
}

// end forgets a call that came to nothing.
func (d *directCalls) end(fragment string, remember bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.live, fragment)
	d.pending--
	if remember {
		d.refused = append(d.refused, fragment)
		d.refused = d.refused[max(0, len(d.refused)-maxRefusedCalls):]
	}
}

// over forgets a session's fragment. It is refused from now on: who comes back
// chooses another one.
func (d *directCalls) over(fragment string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.live, fragment)
	d.refused = append(d.refused, fragment)
	d.refused = d.refused[max(0, len(d.refused)-maxRefusedCalls):]
}

// close lets no more calls in and waits for those being admitted.
func (d *directCalls) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.running.Wait()
}

// directFragment finds the two fragments in a binding request's USERNAME (RFC
// 8445 §7.2.2); false if it is no request for a direct call.
func directFragment(p []byte) (own, theirs string, ok bool) {
	const bindingRequest, username = 0x0001, 0x0006
	if len(p) < stunHeader || binary.BigEndian.Uint16(p) != bindingRequest {
		return "", "", false
	}
	for rest := p[stunHeader:]; len(rest) >= 4; {
		kind, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest) < 4+n {
			return "", "", false
		}
		if kind == username {
			own, theirs, ok = strings.Cut(string(rest[4:4+n]), ":")
			ok = ok && strings.HasPrefix(own, DirectPrefix) && len(own) == DirectLength && isFragment(theirs)
			return own, theirs, ok && isFragment(own)
		}
		rest = rest[min(len(rest), 4+(n+3)&^3):]
	}
	return "", "", false
}

// isFragment reports whether a text can stand in a description as an ICE
// fragment.
func isFragment(text string) bool {
	if len(text) < 4 || len(text) > maxFragment {
		return false
	}
	for _, b := range []byte(text) {
		if ('a' > b || b > 'z') && ('A' > b || b > 'Z') && ('0' > b || b > '9') && b != '+' && b != '/' {
			return false
		}
	}
	return true
}

// AnswerDirect opens a session with a viewer who dialled directly. fingerprint is
// the SHA-256 of the DTLS certificate that the viewer must show, which its
// fragment vouches for. The session has no cameras yet: the viewer asks for them
// over its data channel.
func (e *Endpoint) AnswerDirect(ctx context.Context, call DirectCall, fingerprint [32]byte) (*Session, error) {
	if e.calls == nil {
		return nil, errors.New("direct calls are not admitted here")
	}
	release, err := e.admit()
	if err != nil {
		return nil, err
	}
	offer := directOffer(call.ViewerFragment, fingerprint)
	sections, err := parseOffer(offer)
	if err != nil {
		release()
		return nil, err
	}
	o := Offer{SDP: offer, OnCandidate: func(string) {}}
	s, err := e.newSession(o, connectionOptions{fragment: call.Fragment, password: call.Password}, func() {
		e.calls.over(call.Fragment)
		release()
	})
	if err != nil {
		return nil, err
	}
	if _, err := s.negotiate(ctx, o, sections); err != nil {
		_ = s.Close()
		return nil, err
	}
	e.calls.answered(call.Fragment, s)
	return s, nil
}

// holdsBack reports whether a request of a direct call must not reach pion: a lite
// agent follows every nomination, and anybody who overheard one can send it again
// from elsewhere. As soon as the viewer's password is known, an address has to
// answer a check of ours first; until it has, the viewer asks again.
func (s *Session) holdsBack(p []byte, from netip.AddrPort) bool {
	if !s.check.armed() || s.check.answered(from) {
		return false
	}
	m := &stun.Message{Raw: slices.Clone(p)}
	if m.Decode() == nil && stun.NewShortTermIntegrity(s.password).Check(m) == nil {
		s.path.probe(from)
	}
	return true
}

// learnPassword takes the viewer's ICE password out of its first offer over the
// session, and shows by it that somebody answers at the address in use, before
// anything is sent there that is more than what came.
func (s *Session) learnPassword(ctx context.Context, offer iceFacts) error {
	at := s.path.overUDP()
	if s.check.armed() || !at.IsValid() { // by TCP: that is an answer
		return nil
	}
	s.check.describe(iceFacts{fragment: s.own}, iceFacts{fragment: offer.fragment, password: offer.password})
	s.check.learnAddress(at, ice.CandidateTypePeerReflexive)
	if _, err := s.check.check(ctx, at, false); err != nil {
		return fmt.Errorf("%w: its sender does not answer: %w", ErrBadOffer, err)
	}
	return nil
}

// directOffer is the offer that the viewer would have sent.
func directOffer(fragment string, fingerprint [32]byte) string {
	return strings.Join([]string{
		"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "a=msid-semantic: WMS",
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0",
		"a=ice-ufrag:" + fragment, "a=ice-pwd:" + directPassword, "a=ice-options:trickle",
		"a=fingerprint:sha-256 " + hexPairs(fingerprint), "a=setup:actpass", "a=mid:0", "a=sctp-port:5000", "a=max-message-size:262144", "",
	}, "\r\n")
}

// asDirect makes a later offer of a viewer who dialled directly look as its first
// one did, so that it does not seem to be a restart of ICE.
func asDirect(sdp string) string {
	var out strings.Builder
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, "a=ice-pwd:") {
			line = "a=ice-pwd:" + directPassword + "\r\n"
		}
		out.WriteString(line)
	}
	return out.String()
}
