package signaling

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/internal/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is the time in these tests.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

const sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 AA:BB\r\n"

func newID(t testing.TB) *identity.Identity {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// pair is a viewer and a publisher.
type pair struct {
	viewer, publisher *identity.Identity
	gate              *OfferVerifier
}

func newPair(t testing.TB) *pair {
	t.Helper()
	p := &pair{viewer: newID(t), publisher: newID(t)}
	p.gate = newGate(t, OfferVerifierOptions{Identity: p.publisher})
	return p
}

// newGate allows everybody unless o says otherwise.
func newGate(t testing.TB, o OfferVerifierOptions) *OfferVerifier {
	t.Helper()
	if o.Authorize == nil {
		o.Authorize = func(identity.PeerID) error { return nil }
	}
	gate, err := NewOfferVerifier(o)
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

// offer starts a session and returns its offer.
func (p *pair) offer(t testing.TB, now time.Time) (*ViewerSession, string) {
	t.Helper()
	v, err := NewViewerSession(p.viewer, p.publisher.PeerID())
	if err != nil {
		t.Fatal(err)
	}
	compact, err := v.Offer(now, sdp, []Media{{MID: "0", Camera: "front"}, {MID: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	return v, compact
}

func open(t testing.TB, compact string) Signed {
	t.Helper()
	s, err := Open(compact)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// connect completes a handshake.
func (p *pair) connect(t testing.TB) (*ViewerSession, *PublisherSession) {
	t.Helper()
	v, offer := p.offer(t, noon)
	s, err := p.gate.Accept(noon, open(t, offer))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.Answer(noon, sdp)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Receive(open(t, answer)); err != nil {
		t.Fatal(err)
	}
	return v, s
}

// must takes the result of a call that makes a message.
func must(t testing.TB) func(string, error) string {
	return func(compact string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
}
