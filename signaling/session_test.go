package signaling

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/identity"
)

func TestSession_HandshakeThenCandidatesBothWaysThenBye(t *testing.T) {
	p := newPair(t)
	v, offer := p.offer(t, noon)
	s, err := p.gate.Accept(noon, open(t, offer))
	if err != nil {
		t.Fatal(err)
	}
	if s.Viewer() != p.viewer.PeerID() || s.ID() != v.ID() || v.Publisher() != p.publisher.PeerID() {
		t.Error("the session names other peers")
	}
	if diff := cmp.Diff([]Media{{MID: "0", Camera: "front"}, {MID: "1"}}, s.Offer().Media); diff != "" || s.Offer().SDP != sdp {
		t.Error("the offer changed on its way", diff)
	}
	ice := ICEServer{URLs: []string{"turn:relay.example:3478"}, Username: "u", Credential: "p", Expires: 5}
	answer := must(t)(s.Answer(noon, sdp+"x", ice))
	m, err := v.Receive(open(t, answer))
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := m.(*Answer); !ok || a.SDP != sdp+"x" || !cmp.Equal(a.ICE, []ICEServer{ice}) {
		t.Errorf("received %+v", m)
	}
	for _, c := range []string{"candidate:1 1 udp 1 127.0.0.1 1 typ host", ""} {
		m, err := s.Receive(open(t, must(t)(v.Candidate(noon, c, "0"))))
		if err != nil || m.(*Candidate).Candidate != c || m.(*Candidate).MID != "0" {
			t.Errorf("publisher received %+v, %v", m, err)
		}
		m, err = v.Receive(open(t, must(t)(s.Candidate(noon, c, ""))))
		if err != nil || m.(*Candidate).Candidate != c {
			t.Errorf("viewer received %+v, %v", m, err)
		}
	}
	m, err = s.Receive(open(t, must(t)(v.Bye(noon, "done"))))
	if b, ok := m.(*Bye); err != nil || !ok || b.Reason != "done" {
		t.Errorf("received %+v, %v", m, err)
	}
	if _, err := s.Candidate(noon, "", ""); !errors.Is(err, ErrUnexpected) {
		t.Error("the publisher speaks after the bye:", err)
	}
	if _, err := v.Bye(noon, ""); !errors.Is(err, ErrUnexpected) {
		t.Error("two byes:", err)
	}
}

func TestSession_RejectEndsIt(t *testing.T) {
	p := newPair(t)
	v, offer := p.offer(t, noon)
	s, err := p.gate.Accept(noon, open(t, offer))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reject(noon, RejectBusy, strings.Repeat("x", MaxReason+1)); !errors.Is(err, ErrMessage) {
		t.Error("an endless reason:", err)
	}
	m, err := v.Receive(open(t, must(t)(s.Reject(noon, RejectBusy, "Too many viewers."))))
	if r, ok := m.(*Reject); err != nil || !ok || r.Code != RejectBusy || r.Reason != "Too many viewers." {
		t.Fatalf("received %+v, %v", m, err)
	}
	if _, err := s.Answer(noon, sdp); !errors.Is(err, ErrUnexpected) {
		t.Error("an answer after the reject:", err)
	}
}

func TestSession_WithoutHandshakeNothingElseIsSaid(t *testing.T) {
	p := newPair(t)
	v, offer := p.offer(t, noon)
	if _, err := v.Candidate(noon, "", ""); !errors.Is(err, ErrUnexpected) {
		t.Error("a candidate before the answer:", err)
	}
	if _, err := v.Offer(noon, Request{SDP: sdp}); !errors.Is(err, ErrUnexpected) {
		t.Error("a second offer:", err)
	}
	s, err := p.gate.Accept(noon, open(t, offer))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bye(noon, ""); !errors.Is(err, ErrUnexpected) {
		t.Error("a bye before the answer:", err)
	}
	if _, err := NewViewerSession(p.viewer, p.viewer.PeerID(), p.viewer.AgreementKey()); !errors.Is(err, ErrNotForMe) {
		t.Error("a peer dials itself:", err)
	}
	if _, err := NewViewerSession(p.viewer, "nobody", p.viewer.AgreementKey()); !errors.Is(err, identity.ErrPeerID) {
		t.Error("a peer dials nobody:", err)
	}
}

func TestSession_AnAnswerThatCannotBeSentMayBeFollowedByAReject(t *testing.T) {
	p := newPair(t)
	v, offer := p.offer(t, noon)
	s, err := p.gate.Accept(noon, open(t, offer))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Answer(noon, strings.Repeat("x", MaxSDP+1)); !errors.Is(err, ErrMessage) {
		t.Fatal(err)
	}
	if _, err := v.Receive(open(t, must(t)(s.Reject(noon, RejectBusy, "")))); err != nil {
		t.Error(err)
	}
}

// hostile builds messages that a server may have collected or a peer may have
// signed, for the viewer in the middle of a handshake.
type hostile struct {
	*pair
	v                   *ViewerSession
	offer               string
	answer              string // the right one
	offerJWS, answerJWS string // inside their seals
	original            *Answer
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{pair: newPair(t)}
	h.v, h.offer = h.pair.offer(t, noon)
	s, err := h.gate.Accept(noon, open(t, h.offer))
	if err != nil {
		t.Fatal(err)
	}
	h.answer = must(t)(s.Answer(noon, sdp))
	h.original = open(t, h.answer).Message().(*Answer)
	h.offerJWS, h.answerJWS = unsealed(t, h.offer), unsealed(t, h.answer)
	return h
}

// forge returns the answer changed by f and signed by id.
func (h *hostile) forge(t *testing.T, id *identity.Identity, f func(*Answer)) string {
	t.Helper()
	a := *h.original
	f(&a)
	return must(t)(sign(id, &a))
}

func TestViewerSession_RefusesEveryAnswerButItsOwn(t *testing.T) {
	h := newHostile(t)
	mallory := newID(t)
	_, otherOffer := h.pair.offer(t, noon) // a second session of the same two peers
	s, err := h.gate.Accept(noon, open(t, otherOffer))
	if err != nil {
		t.Fatal(err)
	}
	otherAnswer := must(t)(s.Answer(noon, sdp))

	tests := map[string]struct {
		compact string
		want    error
	}{
		"the answer of another session": {otherAnswer, ErrUnexpected},
		"its own offer, reflected":      {h.offer, ErrNotForMe},
		"another peer's answer":         {h.forge(t, mallory, func(a *Answer) { a.From = mallory.PeerID() }), ErrNotForMe},
		"an answer to somebody else":    {h.forge(t, h.publisher, func(a *Answer) { a.To = mallory.PeerID() }), ErrNotForMe},
		"an answer in another session":  {h.forge(t, h.publisher, func(a *Answer) { a.Session = NewToken(SessionSize) }), ErrUnexpected},
		"another nonce":                 {h.forge(t, h.publisher, func(a *Answer) { a.PeerNonce = NewToken(SessionSize) }), ErrUnexpected},
		"another offer":                 {h.forge(t, h.publisher, func(a *Answer) { a.OfferHash = HashOf("x") }), ErrUnexpected},
		"a reject of another offer": {must(t)(sign(h.publisher, &Reject{Header: h.original.Header, OfferHash: HashOf("x"),
			Code: RejectBusy})), ErrUnexpected},
		"a candidate before the answer": {must(t)(sign(h.publisher, &Candidate{Header: h.original.Header,
			Transcript: Transcript(h.offerJWS, h.answerJWS)})), ErrUnexpected},
		"a bye before the answer": {must(t)(sign(h.publisher, &Bye{Header: h.original.Header,
			Transcript: Transcript(h.offerJWS, h.answerJWS)})), ErrUnexpected},
		"an offer": {must(t)(sign(h.publisher, &Offer{Header: h.original.Header, Nonce: h.original.PeerNonce, Key: h.publisher.AgreementKey(), SDP: sdp})), ErrUnexpected},
	}
	for name, tt := range tests {
		if m, err := h.v.Receive(open(t, tt.compact)); !errors.Is(err, tt.want) || m != nil {
			t.Errorf("%s: %+v, %v; want %v", name, m, err, tt.want)
		}
	}
	if _, err := h.v.Receive(open(t, h.answer)); err != nil {
		t.Error("after all that the right answer is refused:", err)
	}
	if _, err := h.v.Receive(open(t, h.answer)); !errors.Is(err, ErrUnexpected) {
		t.Error("the answer twice:", err)
	}
	second := h.forge(t, h.publisher, func(a *Answer) { a.Nonce = NewToken(SessionSize) })
	if _, err := h.v.Receive(open(t, second)); !errors.Is(err, ErrUnexpected) {
		t.Error("a second, different answer:", err)
	}
	late := must(t)(sign(h.publisher, &Reject{Header: h.original.Header, OfferHash: HashOf(h.offerJWS), Code: RejectBusy}))
	if _, err := h.v.Receive(open(t, late)); !errors.Is(err, ErrUnexpected) {
		t.Error("a reject after the answer:", err)
	}
	if _, err := (&ViewerSession{exchange: exchange{id: h.viewer, peer: h.publisher.PeerID(), session: h.v.ID()}}).Receive(open(t, h.answer)); !errors.Is(err, ErrUnexpected) {
		t.Error("an answer before the offer:", err)
	}
}

func TestSession_LaterMessagesAreBoundToTheHandshake(t *testing.T) {
	p := newPair(t)
	v1, s1 := p.connect(t)
	v2, s2 := p.connect(t)
	first := must(t)(v1.Candidate(noon, "", "0"))
	second := must(t)(v1.Candidate(noon, "", "1"))

	if _, err := s2.Receive(open(t, first)); !errors.Is(err, ErrUnexpected) {
		t.Error("another session's candidate:", err)
	}
	if _, err := v1.Receive(open(t, first)); !errors.Is(err, ErrNotForMe) {
		t.Error("the own candidate, reflected:", err)
	}
	if _, err := s1.Receive(open(t, second)); err != nil {
		t.Error("a gap in seq:", err)
	}
	for name, c := range map[string]string{"an older message": first, "the same again": second} {
		if _, err := s1.Receive(open(t, c)); !errors.Is(err, ErrUnexpected) {
			t.Errorf("%s: %v", name, err)
		}
	}
	head := Header{From: p.publisher.PeerID(), To: p.viewer.PeerID(), Session: v2.ID(), Seq: 9}
	mixed := must(t)(sign(p.publisher, &Bye{Header: head, Transcript: v1.transcript}))
	if _, err := v2.Receive(open(t, mixed)); !errors.Is(err, ErrUnexpected) {
		t.Error("another handshake's transcript:", err)
	}
	if _, err := v2.Receive(open(t, must(t)(s2.Bye(noon, "")))); err != nil {
		t.Error(err)
	}
	if _, err := v2.Receive(open(t, must(t)(sign(p.publisher, &Bye{Header: head, Transcript: v2.transcript})))); !errors.Is(err, ErrUnexpected) {
		t.Error("a message after the bye:", err)
	}
}

func TestSession_ClocksOfAnswersDoNotMatter(t *testing.T) {
	p := newPair(t)
	v, offer := p.offer(t, noon)
	for _, clock := range []time.Time{time.Unix(0, 0), time.Unix(-1e6, 0)} {
		gate := newGate(t, OfferVerifierOptions{Identity: p.publisher})
		s, err := gate.Accept(clock, open(t, offer))
		if err != nil {
			t.Fatalf("a camera that wakes at %v refuses its owner: %v", clock, err)
		}
		answer := open(t, must(t)(s.Answer(clock, sdp)))
		if v.transcript == "" {
			if _, err := v.Receive(answer); err != nil {
				t.Errorf("an answer from %v: %v", clock, err)
			}
		}
	}
}

func TestOpen_RequiresThatTheSenderSigned(t *testing.T) {
	p := newPair(t)
	_, offer := p.offer(t, noon)
	mallory := newID(t)
	o := *open(t, offer).Message().(*Offer)
	if _, err := verify(must(t)(sign(mallory, &o))); !errors.Is(err, ErrSender) {
		t.Error("signed by somebody else:", err)
	}
	parts := strings.Split(unsealed(t, offer), ".")
	o.SDP = strings.Replace(sdp, "AA:BB", "EE:FF", 1) // the server's own fingerprint
	payload, err := EncodeMessage(&o)
	if err != nil {
		t.Fatal(err)
	}
	swapped := parts[0] + "." + string(encodeSegment(payload)) + "." + parts[2]
	if _, err := verify(swapped); !errors.Is(err, identity.ErrNotVerified) {
		t.Error("a swapped fingerprint:", err)
	}
	reg, err := SignRegistration(p.viewer, NewToken(ChallengeSize), "example.org", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify(reg); !errors.Is(err, ErrMessage) {
		t.Error("a registration taken for a message:", err)
	}
	if _, err := VerifyRegistration(unsealed(t, offer), NewToken(ChallengeSize), "example.org"); !errors.Is(err, ErrMessage) {
		t.Error("a message taken for a registration:", err)
	}
}
