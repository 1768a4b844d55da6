package mediasign

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

const (
	defaultWindow = 1 << 18
	// settleAfter is how many documents in a row have to be as signed until what
	// was before them is judged.
	settleAfter = 4
	// recentClaims is how many messages are remembered, to pass over repeated ones.
	recentClaims = 256
	// maxUnsigned bounds the messages that wait for a later signature.
	maxUnsigned = 1024
)

// Verifier checks a stream. Give it the units in the stream's order, then finish.
// It is not safe for concurrent use.
type Verifier struct {
	// Constant after construction.
	codec  codecs.Codec
	key    []byte
	window int
	check  func(c *x509.Certificate, digest [hashSize]byte, signature []byte) error

	sets   []unit // parameter sets known from outside the stream
	side   sideTracker
	anchor [hashSize]byte
	units  int
	gops   int
	seq    int

	records []record  // not judged yet
	base    int       // how many were judged
	claims  []*claim  // not judged yet
	waiting []*claim  // without a signature; a later one may cover them
	last    *claim    // the newest document judged
	newest  time.Time // of the documents judged
	part    partCounter
	clean   int // how many documents in a row, the newest included, are as signed
	end     int // where the pictures of the newest one end, if clean
	echo    int // how many records came before the newest message that was there before; -1 if none was

	chainText []byte
	origin    *Origin                 // of chainText
	first     *Origin                 // of the first document with a good signature
	open      map[[hashSize]byte]bool // digests of claims
	recent    [][hashSize]byte        // digests of those judged
	known     retained
	out       []GOP
}

// NewVerifier returns a verifier at the beginning of a stream.
func NewVerifier(o VerifierOptions) *Verifier {
	if o.Window <= 0 {
		o.Window = defaultWindow
	}
	return &Verifier{
		codec: o.Codec, key: o.Key, window: o.Window, check: verify, echo: -1,
		open: map[[hashSize]byte]bool{}, known: newRetained(o.Window),
	}
}

// SetParameterSets says which parameter sets apply from the next unit on to key
// frames that bring none: those in the header of a file.
func (v *Verifier) SetParameterSets(sets [][]byte) {
	v.sets = nil
	for _, s := range sets {
		if u := classify(v.codec, s); u.kind == parameterSet {
			v.sets = append(v.sets, u)
		}
	}
}

// Add takes in the next unit of the stream and returns what can be said now; most
// units bring nothing. Only its Payload, PTS and At are used.
func (v *Verifier) Add(u *codecs.Unit) []GOP {
	place := Place{Unit: v.units, PTS: u.PTS, At: u.At}
	v.units++
	for _, data := range u.Payload {
		switch n := classify(v.codec, data); n.kind {
		case picture:
			v.picture(n, place)
		case message:
			if d, found, err := Find(v.codec, n.data); found {
				v.document(d, err, place)
				continue
			}
			v.side.note(v.codec, n)
		default:
			v.side.note(v.codec, n)
		}
	}
	if len(v.records) > v.window {
		v.resolve(len(v.records), false)
	}
	return v.flush()
}

// Finish says the rest. The verifier is then at the beginning of a new stream.
func (v *Verifier) Finish() []GOP {
	v.resolve(len(v.records), true)
	out := v.flush()
	*v = *NewVerifier(VerifierOptions{Codec: v.codec, Key: v.key, Window: v.window})
	return out
}

func (v *Verifier) flush() []GOP {
	out := v.out
	v.out = nil
	return out
}

func (v *Verifier) picture(n unit, place Place) {
	r := record{plain: sha256.Sum256(n.data), place: place, start: n.start}
	if n.start {
		v.gops++
		v.anchor = r.plain
		r.hash = r.plain
	} else {
		r.hash = link(v.anchor, r.plain)
	}
	r.gop = v.gops
	r.side = v.side.before(n.start, v.sets)
	v.records = append(v.records, r)
}

// document takes in a message; err says why it cannot be read.
func (v *Verifier) document(d *Document, err error, place Place) {
	v.seq++
	c := &claim{doc: d, seq: v.seq, after: v.base + len(v.records), own: -1, place: place, gop: v.gops}
	if err == nil {
		err = v.identify(c)
	}
	switch {
	case err != nil:
		c.bad = err.Error()
		v.claims = append(v.claims, c)
		v.clean = 0
	case d.Certificates:
	case d.Signature == nil:
		if len(v.waiting) == maxUnsigned {
			v.waiting = v.waiting[1:]
		}
		c.own = c.after
		v.waiting = append(v.waiting, c)
		v.records = append(v.records, record{hash: d.digest, plain: d.digest, place: place, gop: v.gops, message: true})
	default:
		for _, w := range v.vouched(c) {
			v.accept(w)
		}
		v.accept(c)
	}
}

// identify finds out who signed a document, and checks the signature.
func (v *Verifier) identify(c *claim) error {
	if len(c.doc.Chain) > 0 && !bytes.Equal(c.doc.Chain, v.chainText) && c.doc.Signature != nil {
		chain, err := parseChain(c.doc.Chain)
		if err != nil {
			return err
		}
		origin := &Origin{Chain: chain, Vendor: c.doc.Vendor}
		if err := v.check(chain[0], c.doc.digest, c.doc.Signature); err != nil {
			if v.origin != nil && !v.origin.sameKey(origin) {
				return errors.New("it is not that of the certificate with it, which is another one than before")
			}
			return err
		}
		v.chainText, v.origin, c.origin = bytes.Clone(c.doc.Chain), origin, origin
		return nil
	}
	if c.doc.Signature == nil {
		return nil
	}
	if v.origin == nil {
		return errors.New("there is no certificate")
	}
	c.origin = v.origin
	if err := v.check(v.origin.Chain[0], c.doc.digest, c.doc.Signature); err != nil {
		return err
	}
	if c.doc.Vendor != (Vendor{}) {
		c.origin = &Origin{Chain: v.origin.Chain, Vendor: c.doc.Vendor}
	}
	return nil
}

// vouched returns the documents without a signature that a signed one covers,
// directly or by another, oldest first.
func (v *Verifier) vouched(c *claim) []*claim {
	if len(v.waiting) == 0 {
		return nil
	}
	covered := map[[hashSize]byte]bool{}
	cover := func(d *Document) {
		for _, h := range d.Hashes {
			covered[h] = true
		}
	}
	cover(c.doc)
	var out, rest []*claim
	for _, w := range slices.Backward(v.waiting) {
		if covered[w.doc.digest] {
			cover(w.doc)
			w.origin = c.origin
			out = append(out, w)
		} else {
			rest = append(rest, w)
		}
	}
	slices.Reverse(out)
	slices.Reverse(rest)
	v.waiting = rest
	return out
}

// accept takes in a document that is proved to be the signer's.
func (v *Verifier) accept(c *claim) {
	if v.open[c.doc.digest] || slices.Contains(v.recent, c.doc.digest) {
		v.echo = c.after
		return // the specification lets a signer send a message twice
	}
	if v.first == nil {
		v.first = c.origin
	}
	if len(v.claims) == 0 && (v.last == nil || c.follows(v.last)) && v.fits(c, 0) {
		v.settle(c)
		return
	}
	v.claims = append(v.claims, c)
	v.open[c.doc.digest] = true
	v.track(c)
}

// fits reports whether the pictures from a place on are those of the document,
// and came before it.
func (v *Verifier) fits(c *claim, at int) bool {
	n := c.doc.Units
	if at < 0 || at+n > len(v.records) || v.base+at+n > c.after {
		return false
	}
	if c.doc.Hashes == nil {
		hashes := make([][hashSize]byte, n)
		for i := range hashes {
			hashes[i] = v.records[at+i].hash
		}
		if n == 0 || bundle(hashes) != c.doc.Bundle {
			return false
		}
		c.doc.Hashes = hashes
		return true
	}
	if len(c.doc.Hashes) != n || bundle(c.doc.Hashes) != c.doc.Bundle {
		return false
	}
	for i := range n {
		if v.records[at+i].hash != c.doc.Hashes[i] {
			return false
		}
	}
	return true
}

// settle judges a document whose pictures are the next in the stream.
func (v *Verifier) settle(c *claim) {
	c.sub = v.last != nil && v.last.doc.Partial
	v.rise(c)
	n := c.doc.Units
	if n > 0 {
		t := tally{in: make([]int, n)}
		for i := range n {
			t.in[i] = i
		}
		v.out = append(v.out, v.judge(c, &t, v.records))
	}
	v.last = c
	v.remember(c)
	v.drop(n)
}

// remember notes a document whose pictures were there.
func (v *Verifier) remember(c *claim) {
	v.known.put(c.doc.Hashes)
	if v.recent = append(v.recent, c.doc.digest); len(v.recent) > recentClaims {
		v.recent = v.recent[1:]
	}
}

// rise notes whether a document was signed before what was judged already, as the
// one before it was.
func (v *Verifier) rise(c *claim) {
	if v.last != nil && v.last.earlier && !c.doc.Start.After(v.newest) {
		c.earlier = true
	}
	if !c.earlier && c.doc.Start.After(v.newest) {
		v.newest = c.doc.Start
	}
}

// drop forgets records that were judged.
func (v *Verifier) drop(n int) {
	v.base += n
	v.records = slices.Delete(v.records, 0, n)
}

// track watches whether the stream has become as it was signed again.
func (v *Verifier) track(c *claim) {
	at := v.find(c)
	switch {
	case at < 0:
		v.clean = 0
		return
	case v.clean > 0 && at == v.end && c.follows(v.claims[len(v.claims)-2]):
		v.clean++
	default:
		v.clean = 1
	}
	v.end = at + c.doc.Units
	if v.clean >= settleAfter {
		v.resolve(v.end, false)
	}
}

// find returns where the pictures of a document are, -1 if they are not there as
// they should be.
func (v *Verifier) find(c *claim) int {
	if v.clean > 0 && v.fits(c, v.end) {
		return v.end
	}
	h, known := c.first()
	tries := 4096
	for i := len(v.records) - 1; i >= 0 && tries > 0; i-- {
		tries--
		switch {
		case known && v.records[i].hash == h && v.fits(c, i):
			return i
		case !known && v.records[i].start:
			tries -= 64
			if v.fits(c, i) {
				return i
			}
		}
	}
	return -1
}
