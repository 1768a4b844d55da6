package mediasign

import (
	"crypto/x509"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
)

// memo remembers which signatures are good, so that a test can try many changes.
type memo struct {
	mu   sync.Mutex
	good map[[hashSize]byte]string
}

func (m *memo) check(c *x509.Certificate, digest [hashSize]byte, signature []byte) error {
	m.mu.Lock()
	known := m.good[digest] == string(signature)
	m.mu.Unlock()
	if known {
		return nil
	}
	err := verify(c, digest, signature)
	if err == nil {
		m.mu.Lock()
		m.good[digest] = string(signature)
		m.mu.Unlock()
	}
	return err
}

// copyOf returns a verifier in the state of another.
func copyOf(v *Verifier) *Verifier {
	c := *v
	c.records, c.claims, c.waiting = slices.Clone(v.records), slices.Clone(v.claims), slices.Clone(v.waiting)
	c.side.pending, c.side.noted = slices.Clone(v.side.pending), maps.Clone(v.side.noted)
	c.recent, c.out = slices.Clone(v.recent), slices.Clone(v.out)
	c.open = maps.Clone(v.open)
	for i, claim := range c.claims {
		own := *claim
		c.claims[i] = &own
	}
	for i, claim := range c.waiting {
		own := *claim
		c.waiting[i] = &own
	}
	if v.last != nil {
		own := *v.last
		c.last = &own
	}
	c.known = newRetained(v.window)
	c.known.put(v.known.order)
	return &c
}

// Every bit of every NAL unit of a group of pictures, and of its signature, is
// flipped in turn.
func TestVerifier_EveryFlippedBitIsCaught(t *testing.T) {
	step := 1
	if raceEnabled || testing.Short() {
		step = 97
	}
	for _, codec := range []codecs.Codec{codecs.H264, codecs.H265} {
		track, units := video264(), pictures(t, 3, 3)[:8]
		if codec == codecs.H265 {
			track, units = video265(), film265(3, 3)[:8]
		}
		// The groups before and after are there for company: a short key frame will do.
		for _, i := range []int{0, 6} {
			last := len(units[i].Payload) - 1
			units[i].Payload[last] = units[i].Payload[last][:100]
		}
		signed := sign(t, newSigner(t, Options{}), track, units)
		m := &memo{good: map[[hashSize]byte]string{}}
		v := NewVerifier(VerifierOptions{Codec: codec})
		v.Add(signed[4]) // it then knows the certificates
		text, origin := v.chainText, v.origin
		v = NewVerifier(VerifierOptions{Codec: codec})
		v.chainText, v.origin, v.check = text, origin, m.check
		type job struct {
			before *Verifier
			unit   int
			nal    int
		}
		var jobs []job
		for i, u := range signed {
			for n := range u.Payload {
				if i >= 3 && i < 6 && !carries(codec, u.Payload[n], UUID()) || i == 7 && n == 0 {
					jobs = append(jobs, job{copyOf(v), i, n})
				}
			}
			v.Add(u)
		}
		if got := words(v.Finish()); !slices.Equal(got, []string{"tail 3"}) {
			t.Fatalf("%v: unchanged, the end is %q", codec, got)
		}
		try := func(j job, bit int) {
			u := change(signed[j.unit], j.nal, func(b []byte) []byte { b[bit/8] ^= 1 << (bit % 8); return b })
			v := copyOf(j.before)
			gops := v.Add(u)
			for _, next := range signed[j.unit+1:] {
				gops = append(gops, v.Add(next)...)
			}
			gops = append(gops, v.Finish()...)
			if !slices.ContainsFunc(gops, func(g GOP) bool { return g.Verdict != Authentic && g.Number <= 2 }) {
				t.Errorf("%v: bit %d of NAL unit %d of unit %d: %q", codec, bit, j.nal, j.unit, words(gops))
			}
		}
		var running sync.WaitGroup
		for worker := range runtime.GOMAXPROCS(0) {
			running.Go(func() {
				for _, j := range jobs {
					for bit := worker * step; bit < 8*len(signed[j.unit].Payload[j.nal]) && !t.Failed(); bit += step * runtime.GOMAXPROCS(0) {
						try(j, bit)
					}
				}
			})
		}
		running.Wait()
	}
}
