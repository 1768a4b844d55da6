package hostile

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

const sdp = "v=0\r\na=fingerprint:sha-256 AA:BB\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=fingerprint:sha-256 AA:BB\r\n"

// TestMiddle_BelievedByWhoeverChecksNothing lets it between two peers that
// believe every key and every signature: each sees one consistent handshake,
// with the attacker's fingerprint. Real code refuses it at every step.
func TestMiddle_BelievedByWhoeverChecksNothing(t *testing.T) {
	s := listen(t)
	viewer, publisher := join(t, s), join(t, s)
	attacker, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMiddle(s, MiddleOptions{Identity: attacker, Alter: SwapBoth(attacker)})
	if err != nil {
		t.Fatal(err)
	}
	swapped := SwapFingerprint(sdp, Fingerprint(attacker))
	if strings.Count(swapped, Fingerprint(attacker)) != 2 || strings.Contains(swapped, "AA:BB\r") {
		t.Fatalf("swapped into %q", swapped)
	}
	head := func(from, to *guest, session signaling.Token, seq int64) signaling.Header {
		return signaling.Header{From: from.key.PeerID(), To: to.key.PeerID(), Session: session, Seq: seq, Exp: time.Now().Add(signaling.Lifetime).Unix()}
	}
	say := func(from, to *guest, key identity.AgreementKey, msg signaling.Message) (jws string) {
		t.Helper()
		jws, payload, err := Forge(from.key, key, msg) // genuine: it is signed by its sender
		if err != nil {
			t.Fatal(err)
		}
		from.send(to, payload)
		return jws
	}
	// refused looks with real code at what came.
	refused := func(by *guest, d Delivery) {
		t.Helper()
		if _, err := signaling.Open(by.key, d.Payload); !check.Off(check.Sender) && !errors.Is(err, signaling.ErrSender) {
			t.Errorf("real code says: %v", err)
		}
	}

	statement, key := viewer.looksUp(publisher)
	if _, err := identity.OpenKeyStatement(statement, publisher.key.PeerID()); !check.Off(check.Sender) && err == nil || key != attacker.AgreementKey() {
		t.Errorf("the key is %s, real code says: %v", key, err)
	}
	session := signaling.NewToken(signaling.SessionSize)
	offer := &signaling.Offer{
		Header: head(viewer, publisher, session, 1), Nonce: signaling.NewToken(signaling.SessionSize), Key: viewer.key.AgreementKey(),
		Grants: []string{}, SDP: sdp, Media: []signaling.Media{},
	}
	offerJWS := say(viewer, publisher, key, offer)
	d := publisher.next()
	refused(publisher, d)
	got := publisher.opens(d)
	o, ok := got.Message.(*signaling.Offer)
	if !ok || o.SDP != swapped || o.From != viewer.key.PeerID() || o.Nonce != offer.Nonce || o.Key != attacker.AgreementKey() {
		t.Fatalf("the publisher got %+v", got.Message)
	}
	answer := &signaling.Answer{
		Header: head(publisher, viewer, session, 1), Nonce: signaling.NewToken(signaling.SessionSize),
		PeerNonce: o.Nonce, OfferHash: signaling.HashOf(got.JWS), SDP: sdp, ICE: []signaling.ICEServer{},
	}
	answerJWS := say(publisher, viewer, o.Key, answer)
	publisherTranscript := signaling.Transcript(got.JWS, answerJWS)
	d = viewer.next()
	refused(viewer, d)
	got = viewer.opens(d)
	a, ok := got.Message.(*signaling.Answer)
	if !ok || a.SDP != swapped || a.From != publisher.key.PeerID() || a.PeerNonce != offer.Nonce || a.OfferHash != signaling.HashOf(offerJWS) {
		t.Fatalf("the viewer got %+v", got.Message)
	}
	viewerTranscript := signaling.Transcript(offerJWS, got.JWS)
	if viewerTranscript == publisherTranscript {
		t.Error("the transcripts are the same, so nothing was changed")
	}

	say(viewer, publisher, key, &signaling.Candidate{Header: head(viewer, publisher, session, 2), Transcript: viewerTranscript})
	if c, ok := publisher.opens(publisher.next()).Message.(*signaling.Candidate); !ok || c.Transcript != publisherTranscript {
		t.Errorf("the publisher got the candidate %+v", c)
	}
	say(publisher, viewer, o.Key, &signaling.Bye{Header: head(publisher, viewer, session, 2), Transcript: publisherTranscript, Reason: "over"})
	if b, ok := viewer.opens(viewer.next()).Message.(*signaling.Bye); !ok || b.Transcript != viewerTranscript {
		t.Errorf("the viewer got the bye %+v", b)
	}
	if m.Err() != nil || m.Blind() != 0 || len(m.Opened()) != 4 {
		t.Errorf("it opened %d messages, not %d; its mistake: %v", len(m.Opened()), m.Blind(), m.Err())
	}
}

func TestMiddle_SeesNothingOfWhoeverVerifiesTheKey(t *testing.T) {
	s := listen(t)
	viewer, publisher := join(t, s), join(t, s)
	m, err := NewMiddle(s, MiddleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := identity.Seal(publisher.key.AgreementKey(), []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	viewer.send(publisher, sealed)
	publisher.gets(viewer, sealed)
	if m.Blind() != 1 || len(m.Opened()) != 0 || m.Err() != nil {
		t.Errorf("it opened %d messages, not %d; its mistake: %v", len(m.Opened()), m.Blind(), m.Err())
	}
}

func TestMiddle_SwapsOneFingerprintOnly(t *testing.T) {
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		alter         func(signaling.Message)
		offer, answer bool
	}{
		"offers": {SwapOffers(id), true, false}, "answers": {SwapAnswers(id), false, true}, "both": {SwapBoth(id), true, true},
	} {
		o, a := &signaling.Offer{SDP: sdp}, &signaling.Answer{SDP: sdp}
		tt.alter(o)
		tt.alter(a)
		tt.alter(&signaling.Bye{})
		if (o.SDP != sdp) != tt.offer || (a.SDP != sdp) != tt.answer {
			t.Errorf("%s: the offer is %q, the answer %q", name, o.SDP, a.SDP)
		}
	}
}
