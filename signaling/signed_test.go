package signaling

import (
	"errors"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

func TestOpen_TakesOnlyWhatIsSealedForThisPeer(t *testing.T) {
	p := newPair(t)
	_, offer := p.offer(t, noon)
	if _, err := Open(p.publisher, offer); err != nil {
		t.Fatal(err)
	}
	inside := unsealed(t, offer)
	toOther, err := seal(p.viewer.AgreementKey(), inside)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(inside, ".")
	broken, err := seal(p.publisher.AgreementKey(), parts[0]+"."+parts[1]+"."+strings.Repeat("A", len(parts[2])))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := seal(p.publisher.AgreementKey(), "{}")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		payload string
		by      check.Name
		want    error
	}{
		"signed and not sealed":    {inside, check.Sealed, identity.ErrNotSealed},
		"sealed to somebody else":  {toOther, check.Sealed, identity.ErrNotSealed},
		"sealed and not signed":    {plain, check.Signed, identity.ErrNotVerified},
		"sealed, signature broken": {broken, check.Signature, identity.ErrNotVerified},
	} {
		_, err := Open(p.publisher, tt.payload)
		if n, _ := check.Of(err); !errors.Is(err, tt.want) || n != tt.by {
			t.Errorf("%s: refused by %q: %v", name, n, err)
		}
	}
}

// A server that lies about a key gets between two peers only if the viewer takes
// the lie.
func TestOffer_ReachesNobodyButTheDialledPeer(t *testing.T) {
	p := newPair(t)
	_, offer := p.offer(t, noon)
	if _, err := Open(newID(t), offer); !errors.Is(err, identity.ErrNotSealed) {
		t.Error("somebody else opened the offer:", err)
	}
	if strings.Contains(offer, "fingerprint") || strings.Contains(offer, string(p.viewer.PeerID())) {
		t.Error("the sealed offer shows what is in it")
	}
}

// BenchmarkSetUp is what introducing a viewer costs both sides together, beside
// the connection itself: key statement, offer and answer.
func BenchmarkSetUp(b *testing.B) {
	p := newPair(b)
	p.gate = newGate(b, OfferVerifierOptions{Identity: p.publisher, NoncesPerViewer: 1 << 20})
	description := strings.Repeat("a=rtpmap:96 H264/90000\r\n", 160) // as long as a browser's
	b.ReportAllocs()
	for b.Loop() {
		key, err := identity.OpenKeyStatement(p.publisher.KeyStatement(), p.publisher.PeerID())
		if err != nil {
			b.Fatal(err)
		}
		v, err := NewViewerSession(p.viewer, p.publisher.PeerID(), key)
		if err != nil {
			b.Fatal(err)
		}
		in, err := Open(p.publisher, must(b)(v.Offer(noon, Request{SDP: description})))
		if err != nil {
			b.Fatal(err)
		}
		s, err := p.gate.Accept(noon, in)
		if err != nil {
			b.Fatal(err)
		}
		back, err := Open(p.viewer, must(b)(s.Answer(noon, description)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := v.Receive(back); err != nil {
			b.Fatal(err)
		}
	}
}
