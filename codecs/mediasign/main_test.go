package mediasign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func chainOf(t testing.TB, key crypto.Signer) [][]byte {
	t.Helper()
	leaf, _, err := Certify(key, "test camera")
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{leaf}
}

func newSigner(t testing.TB, o Options) *Signer {
	t.Helper()
	if o.Key == nil {
		o.Key = newKey(t)
	}
	if o.Chain == nil {
		o.Chain = chainOf(t, o.Key)
	}
	if o.MinInterval == 0 {
		o.MinInterval = time.Nanosecond
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func video264() codecs.Track { return codecs.Track{Codec: codecs.H264, ClockRate: 90_000} }

// epoch is when the test clips begin.
const epoch = 1_763_740_800_000_000

// film returns gops groups of frames pictures each, 40 ms apart, not signed. The
// pictures are arbitrary bytes with the right headers.
func film(_ testing.TB, gops, frames int) []*codecs.Unit {
	var out []*codecs.Unit
	for i := range gops * frames {
		random := mathrand.New(mathrand.NewPCG(uint64(i), uint64(frames)))
		u := &codecs.Unit{PTS: int64(i) * 3600, At: int64(epoch) + int64(i)*40_000, Key: i%frames == 0}
		if u.Key {
			u.Payload = [][]byte{{0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x03}, {0x68, 0xcb, 0x83}, body(random, 500, 0x65, 0x88)}
		} else {
			u.Payload = [][]byte{body(random, 150, 0x41, 0x9a)}
		}
		out = append(out, u)
	}
	return out
}

// body returns a NAL unit of n arbitrary bytes after its header.
func body(random *mathrand.Rand, n int, header ...byte) []byte {
	for range n {
		header = append(header, byte(1+random.IntN(255)))
	}
	return header
}

// pictures is like film, of the real test picture.
func pictures(t testing.TB, gops, frames int) []*codecs.Unit {
	t.Helper()
	e, err := testpattern.New(testpattern.Options{Width: 640, Height: 360, GOP: time.Duration(frames) * 40 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var out []*codecs.Unit
	for i := range gops * frames {
		at := int64(epoch) + int64(i)*40_000
		payload := e.Encode(time.UnixMicro(at))
		out = append(out, &codecs.Unit{PTS: int64(i) * 3600, At: at, Key: h264.IsKey(payload), Payload: payload})
	}
	return out
}

// sign runs units through a signer that signs at once.
func sign(t testing.TB, s *Signer, track codecs.Track, units []*codecs.Unit) []*codecs.Unit {
	t.Helper()
	var out []*codecs.Unit
	for _, u := range units {
		out = append(out, s.Sign(track, u))
		s.out.running.Wait()
	}
	return out
}

// check runs units through a verifier.
func check(codec codecs.Codec, units []*codecs.Unit) []GOP {
	v := NewVerifier(VerifierOptions{Codec: codec})
	var out []GOP
	for _, u := range units {
		out = append(out, v.Add(u)...)
	}
	return append(out, v.Finish()...)
}

// words sums up a report: a word for each entry, with the GOP's number.
func words(gops []GOP) []string {
	var out []string
	for _, g := range gops {
		w := g.Verdict.String()
		if g.Tail {
			w = "tail"
		}
		out = append(out, fmt.Sprint(w, " ", g.Number))
	}
	return out
}

func expect(t *testing.T, gops []GOP, want ...string) {
	t.Helper()
	if got := words(gops); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
		if testing.Verbose() {
			for _, g := range gops {
				g.Origin = nil
				t.Logf("%+v", g)
			}
		}
	}
}

// clip is a signed film of five groups of five pictures.
func clip(t testing.TB) []*codecs.Unit {
	t.Helper()
	return sign(t, newSigner(t, Options{}), video264(), film(t, 5, 5))
}

func mustChain(t testing.TB, text []byte) []*x509.Certificate {
	t.Helper()
	chain, err := parseChain(text)
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func video265() codecs.Track { return codecs.Track{Codec: codecs.H265, ClockRate: 90_000} }

// film265 is like film, with H.265 headers and arbitrary pictures of two slices.
func film265(gops, frames int) []*codecs.Unit {
	var out []*codecs.Unit
	random := mathrand.New(mathrand.NewPCG(1, 2))
	for i := range gops * frames {
		u := &codecs.Unit{PTS: int64(i) * 3600, At: int64(epoch) + int64(i)*40_000}
		if i%frames == 0 {
			u.Key = true
			u.Payload = [][]byte{
				{0x40, 1, 0x0c, 1, 0xff, 1}, {0x42, 1, 1, 1, 0x60, 0x80}, {0x44, 1, 0xc1, 0x72, 0x80},
				body(random, 150, 0x26, 1, 0x80), body(random, 150, 0x26, 1, 0x40),
			}
		} else {
			u.Payload = [][]byte{body(random, 150, 0x02, 1, 0x80), body(random, 150, 0x02, 1, 0x40)}
		}
		out = append(out, u)
	}
	return out
}
