package signaling

import (
	"strings"
	"sync"
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
	known.Store(id, true)
	return id
}

// known are the identities of these tests, for whoever opens what was sealed to
// one of them.
var known sync.Map //nolint:gochecknoglobals // of *identity.Identity

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
		o.Authorize = func(*Offer) error { return nil }
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
	v, err := NewViewerSession(p.viewer, p.publisher.PeerID(), p.publisher.AgreementKey())
	if err != nil {
		t.Fatal(err)
	}
	compact, err := v.Offer(now, Request{SDP: sdp, Media: []Media{{MID: "0", Camera: "front"}, {MID: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	return v, compact
}

// open reads a message: a JWS, or one sealed to somebody in these tests.
func open(t testing.TB, message string) Signed {
	t.Helper()
	s, err := verify(unsealed(t, message))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// unsealed returns the JWS of a message.
func unsealed(t testing.TB, message string) (compact string) {
	t.Helper()
	if strings.Count(message, ".") == 2 {
		return message
	}
	known.Range(func(id, _ any) bool {
		text, err := id.(*identity.Identity).Unseal(message)
		compact = string(text)
		return err != nil
	})
	if compact == "" {
		t.Fatal("sealed to nobody here")
	}
	return compact
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
