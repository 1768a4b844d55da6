package signaling

import (
	"errors"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

func TestOfferVerifier_AcceptsAnOfferOnce(t *testing.T) {
	p := newPair(t)
	_, offer := p.offer(t, noon)
	if _, err := p.gate.Accept(noon, open(t, offer)); err != nil {
		t.Fatal(err)
	}
	for _, later := range []time.Duration{0, time.Second, Lifetime + time.Minute} {
		if _, err := p.gate.Accept(noon.Add(later), open(t, offer)); !errors.Is(err, ErrReplayed) {
			t.Errorf("replayed after %v: %v", later, err)
		}
	}
	if _, err := p.gate.Accept(noon.Add(time.Hour), open(t, offer)); !errors.Is(err, ErrExpired) {
		t.Errorf("replayed after an hour: %v", err)
	}
	o := *open(t, offer).Message().(*Offer)
	o.SDP += "x" // the viewer itself uses a nonce twice
	if _, err := p.gate.Accept(noon, open(t, must(t)(sign(p.viewer, &o)))); !errors.Is(err, ErrReplayed) {
		t.Errorf("another offer with the same nonce: %v", err)
	}
}

func TestOfferVerifier_RefusesWhatIsNotForIt(t *testing.T) {
	p := newPair(t)
	_, offer := p.offer(t, noon)
	other := newGate(t, OfferVerifierOptions{Identity: newID(t)})
	if _, err := other.Accept(noon, open(t, offer)); !errors.Is(err, ErrNotForMe) {
		t.Error("an offer to another camera:", err)
	}
	if _, send, err := other.Refuse(noon, open(t, offer), ErrNotForMe); send || err != nil {
		t.Error("it is even answered:", err)
	}
	own := newGate(t, OfferVerifierOptions{Identity: p.viewer})
	if _, err := own.Accept(noon, open(t, offer)); !errors.Is(err, ErrNotForMe) {
		t.Error("its own offer, reflected:", err)
	}
	_, s := p.connect(t)
	if _, err := p.gate.Accept(noon, open(t, must(t)(s.Bye(noon, "")))); !errors.Is(err, ErrUnexpected) {
		t.Error("a bye:", err)
	}
}

func TestOfferVerifier_DeniesByDefaultAndSaysSo(t *testing.T) {
	p := newPair(t)
	gate, err := NewOfferVerifier(OfferVerifierOptions{Identity: p.publisher})
	if err != nil {
		t.Fatal(err)
	}
	v, offer := p.offer(t, noon)
	_, err = gate.Accept(noon, open(t, offer))
	if !errors.Is(err, ErrForbidden) {
		t.Fatal(err)
	}
	reject, send, err := gate.Refuse(noon, open(t, offer), err)
	if err != nil || !send {
		t.Fatal(send, err)
	}
	m, err := v.Receive(open(t, reject))
	if r, ok := m.(*Reject); err != nil || !ok || r.Code != RejectForbidden {
		t.Errorf("received %+v, %v", m, err)
	}
	if _, err := NewOfferVerifier(OfferVerifierOptions{}); err == nil {
		t.Error("a gate without identity")
	}
}

func TestOfferVerifier_StrangersCannotFlushItsMemory(t *testing.T) {
	p := newPair(t)
	gate := newGate(t, OfferVerifierOptions{Identity: p.publisher, Viewers: 2, NoncesPerViewer: 4,
		Authorize: func(o *Offer) error {
			if o.From == p.viewer.PeerID() {
				return nil
			}
			return errors.New("who is that?")
		}})
	_, offer := p.offer(t, noon)
	if _, err := gate.Accept(noon, open(t, offer)); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		stranger := &pair{viewer: newID(t), publisher: p.publisher}
		_, o := stranger.offer(t, noon)
		if _, err := gate.Accept(noon, open(t, o)); !errors.Is(err, ErrForbidden) {
			t.Fatal(err)
		}
	}
	if _, err := gate.Accept(noon, open(t, offer)); !errors.Is(err, ErrReplayed) {
		t.Error("forgotten:", err)
	}
}

func TestOfferVerifier_ClaimsCannotFlushItsMemory(t *testing.T) {
	p := newPair(t)
	gate := newGate(t, OfferVerifierOptions{Identity: p.publisher, Viewers: 2})
	_, offer := p.offer(t, noon)
	if _, err := gate.Accept(noon, open(t, offer)); err != nil {
		t.Fatal(err)
	}
	claim := func(of *identity.Identity, now time.Time) Signed {
		v, err := NewViewerSession(of, p.publisher.PeerID(), p.publisher.AgreementKey())
		if err != nil {
			t.Fatal(err)
		}
		return open(t, must(t)(v.Offer(now, Request{SDP: sdp, Claim: ClaimPair})))
	}
	for range 8 {
		in := claim(newID(t), noon)
		if _, err := gate.Accept(noon, in); err != nil {
			t.Fatal(err)
		}
		if _, err := gate.Accept(noon, in); !errors.Is(err, ErrReplayed) {
			t.Error("a claim's offer opened two sessions:", err)
		}
	}
	if _, err := gate.Accept(noon, open(t, offer)); !errors.Is(err, ErrReplayed) {
		t.Error("forgotten:", err)
	}
	// A camera without a clock does not take the time from whoever claims something.
	gate = newGate(t, OfferVerifierOptions{Identity: p.publisher})
	if _, err := gate.Accept(time.Unix(0, 0), claim(newID(t), noon.AddDate(1, 0, 0))); err != nil {
		t.Fatal(err)
	}
	if _, err := gate.Accept(time.Unix(0, 0), open(t, offer)); err != nil {
		t.Error("a claim has set the clock:", err)
	}
}

func TestOfferVerifier_NobodySetsALateClockSoFarAheadThatOthersAreLockedOut(t *testing.T) {
	p := newPair(t)
	wake := time.Unix(0, 0)
	guest := &pair{viewer: newID(t), publisher: p.publisher}
	for _, clock := range []time.Time{time.Unix(MaxInt, 0).Add(-Lifetime), time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)} {
		_, o := guest.offer(t, clock)
		_, _ = p.gate.Accept(wake, open(t, o)) // refused or not
	}
	v, offer := p.offer(t, noon)
	in := open(t, offer)
	_, cause := p.gate.Accept(wake, in)
	if cause == nil {
		return
	}
	reject, send, err := p.gate.Refuse(wake, in, cause)
	if err != nil || !send {
		t.Fatal("the viewer is not told the time:", send, err)
	}
	m, err := v.Receive(open(t, reject))
	if err != nil {
		t.Fatal(err)
	}
	_, again := p.offer(t, noon.Add(m.(*Reject).ClockOffset(noon)))
	if _, err := p.gate.Accept(wake, open(t, again)); err != nil {
		t.Error("locked out:", err)
	}
}

func TestOfferVerifier_AFullMemoryNeverLetsAReplayThrough(t *testing.T) {
	p := newPair(t)
	gate := newGate(t, OfferVerifierOptions{Identity: p.publisher, NoncesPerViewer: 4})
	var offers []string
	for i := range 20 {
		now := noon.Add(time.Duration(i) * time.Second)
		_, o := p.offer(t, now)
		if _, err := gate.Accept(now, open(t, o)); err != nil {
			t.Fatalf("offer %d: %v", i, err)
		}
		offers = append(offers, o)
	}
	for i, o := range offers {
		if _, err := gate.Accept(noon.Add(20*time.Second), open(t, o)); !errors.Is(err, ErrReplayed) {
			t.Errorf("offer %d again: %v", i, err)
		}
	}
	if n := len(gate.seen.viewers); n != 1 {
		t.Errorf("%d viewers remembered", n)
	}
}

func TestOfferVerifier_RemembersABoundedNumberOfViewers(t *testing.T) {
	p := newPair(t)
	gate := newGate(t, OfferVerifierOptions{Identity: p.publisher, Viewers: 3})
	for range 10 {
		q := &pair{viewer: newID(t), publisher: p.publisher}
		_, o := q.offer(t, noon)
		if _, err := gate.Accept(noon, open(t, o)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(gate.seen.viewers); n != 3 || gate.seen.recent.Len() != 3 {
		t.Errorf("%d viewers remembered", n)
	}
}

func TestOfferVerifier_ALateClockLearnsFromAcceptedOffers(t *testing.T) {
	p := newPair(t)
	wake := time.Unix(0, 0)
	_, withheld := p.offer(t, noon) // a server keeps it for later
	_, fresh := p.offer(t, noon.Add(time.Hour))
	if _, err := p.gate.Accept(wake, open(t, fresh)); err != nil {
		t.Fatal("a camera in 1970 refuses its owner:", err)
	}
	if _, err := p.gate.Accept(wake.Add(time.Minute), open(t, withheld)); !errors.Is(err, ErrExpired) {
		t.Error("an offer from an hour before the last one:", err)
	}
}

func TestOfferVerifier_OneWrongClockLocksNobodyElseOut(t *testing.T) {
	p := newPair(t)
	for _, clock := range []time.Time{noon.AddDate(70, 0, 0), noon.Add(time.Hour), noon.Add(-time.Hour)} {
		other := &pair{viewer: newID(t), publisher: p.publisher}
		_, o := other.offer(t, clock)
		if _, err := p.gate.Accept(noon, open(t, o)); !errors.Is(err, ErrExpired) {
			t.Error("a viewer whose clock is far off:", err)
		}
	}
	for name, clock := range map[string]time.Time{
		"right": noon, "a bit late": noon.Add(-90 * time.Second), "a bit ahead": noon.Add(90 * time.Second),
	} {
		_, o := p.offer(t, clock)
		if _, err := p.gate.Accept(noon, open(t, o)); err != nil {
			t.Errorf("a viewer whose clock is %s: %v", name, err)
		}
	}
}

func TestOfferVerifier_AViewerWithAWrongClockGetsInByTheCamerasTime(t *testing.T) {
	p := newPair(t)
	for name, camera := range map[string]time.Time{
		"the viewer's clock is late":                     noon,
		"the viewer's clock is ahead":                    noon.AddDate(0, 0, -3),
		"the camera's clock is ahead":                    noon.AddDate(10, 0, 0),
		"the camera's clock is useless, others know one": time.Unix(0, 0),
	} {
		gate := newGate(t, OfferVerifierOptions{Identity: p.publisher})
		if camera.Unix() == 0 {
			other := &pair{viewer: newID(t), publisher: p.publisher}
			_, o := other.offer(t, noon)
			if _, err := gate.Accept(camera, open(t, o)); err != nil {
				t.Fatal(err)
			}
		}
		local := noon.Add(-time.Hour)
		v, offer := p.offer(t, local)
		_, err := gate.Accept(camera, open(t, offer))
		if !errors.Is(err, ErrExpired) {
			t.Fatalf("%s: %v", name, err)
		}
		reject, send, err := gate.Refuse(camera, open(t, offer), err)
		if err != nil || !send {
			t.Fatal(send, err)
		}
		m, err := v.Receive(open(t, reject))
		if err != nil {
			t.Fatal(err)
		}
		r := m.(*Reject)
		if r.Code != RejectExpired {
			t.Errorf("%s: code %s", name, r.Code)
		}
		_, again := p.offer(t, local.Add(r.ClockOffset(local)))
		if _, err := gate.Accept(camera, open(t, again)); err != nil {
			t.Errorf("%s: with the camera's time: %v", name, err)
		}
	}
}

func TestOfferVerifier_SettingTheClockBackLocksNobodyOut(t *testing.T) {
	p := newPair(t)
	gate := newGate(t, OfferVerifierOptions{Identity: p.publisher, NoncesPerViewer: 4})
	ahead := noon.Add(8 * time.Hour) // local time taken for UTC
	for i := range 6 {
		now := ahead.Add(time.Duration(i) * time.Second)
		_, o := p.offer(t, now)
		if _, err := gate.Accept(now, open(t, o)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6 {
		now := noon.Add(time.Duration(i) * time.Second)
		_, o := p.offer(t, now)
		if _, err := gate.Accept(now, open(t, o)); err != nil {
			t.Errorf("offer %d after the clock was set right: %v", i, err)
		}
	}
}

func TestOfferVerifier_AReplayIsAnsweredBySilence(t *testing.T) {
	p := newPair(t)
	_, offer := p.offer(t, noon)
	if _, err := p.gate.Accept(noon, open(t, offer)); err != nil {
		t.Fatal(err)
	}
	_, err := p.gate.Accept(noon, open(t, offer))
	if _, send, _ := p.gate.Refuse(noon, open(t, offer), err); send {
		t.Error("a replay is answered")
	}
}

func TestOfferVerifier_ADenialSaysWhatTheViewerIsTold(t *testing.T) {
	p := newPair(t)
	denied := &Denial{Code: RejectPairingClosed, Reason: "Start pairing first."}
	gate := newGate(t, OfferVerifierOptions{Identity: p.publisher, Authorize: func(o *Offer) error {
		if o.Claim == ClaimPair {
			return denied
		}
		return nil
	}})
	v, err := NewViewerSession(p.viewer, p.publisher.PeerID(), p.publisher.AgreementKey())
	if err != nil {
		t.Fatal(err)
	}
	in := open(t, must(t)(v.Offer(noon, Request{SDP: sdp, Claim: ClaimPair})))
	_, cause := gate.Accept(noon, in)
	if n, _ := check.Of(cause); !errors.Is(cause, ErrForbidden) || n != check.Allowed {
		t.Fatalf("refused by %q: %v", n, cause)
	}
	reply, send, err := gate.Refuse(noon, in, cause)
	if err != nil || !send {
		t.Fatal(send, err)
	}
	m, err := v.Receive(open(t, reply))
	if r, ok := m.(*Reject); err != nil || !ok || r.Code != denied.Code || r.Reason != denied.Reason {
		t.Errorf("received %+v, %v", m, err)
	}
}

func TestOfferVerifier_AFloodOfStrangersIsNotAnsweredOneByOne(t *testing.T) {
	p := newPair(t)
	gate := newGate(t, OfferVerifierOptions{Identity: p.publisher, Authorize: func(*Offer) error { return ErrForbidden }})
	_, offer := p.offer(t, noon)
	in := open(t, offer)
	answered := func(from time.Time, n int) (out int) {
		for i := range n {
			now := from.Add(time.Duration(i) * time.Millisecond)
			_, cause := gate.Accept(now, in)
			if _, send, err := gate.Refuse(now, in, cause); err != nil {
				t.Fatal(err)
			} else if send {
				out++
			}
		}
		return out
	}
	if n := answered(noon, 1000); n < 5 || n > 2*refusalBurst {
		t.Errorf("%d of 1000 offers in a second answered", n)
	}
	if n := answered(noon.Add(time.Minute), 1); n != 1 {
		t.Error("a stranger is not answered after the flood")
	}
}
