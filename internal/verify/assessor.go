package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/codecs/mediasign"
	"github.com/sightline-cam/sightline/internal/identity"
)

// assessor makes a Report of what the verifier says of a file's groups of pictures.
type assessor struct {
	// Constant after construction.
	options Options
	stream  stream

	r     Report
	clock clockCheck
	tail  []mediasign.GOP

	origin  *mediasign.Origin // of the first signature
	ours    bool              // the signer covers parameter sets too
	begin   int64             // PTS of the first picture
	end     int64             // PTS of the newest picture
	longest time.Duration     // of the signed pieces
	last    mediasign.GOP     // the newest one signed

	headers  [][]byte          // parameter sets in the file's header
	sets     []setsOf          // those of units not judged yet
	proven   map[[32]byte]bool // those of authentic groups
	position int               // units so far
	slices   int               // NAL units of pictures so far
	wrong    int               // problems
}

// setsOf are the hashes of the parameter sets in a unit.
type setsOf struct {
	unit int
	sums [][32]byte
}

func newAssessor(s stream, o Options) *assessor {
	a := &assessor{options: o, stream: s, proven: map[[32]byte]bool{}}
	a.r.Codec = s.codec().String()
	a.r.Periods, a.r.Problems = []Period{}, []Problem{}
	a.clock = clockCheck{tolerance: o.Tolerance, timed: s.timed()}
	for _, f := range s.faults() {
		a.problem(Problem{Kind: "container", Text: f})
	}
	a.r.Notes = s.notes()
	return a
}

// header notes the parameter sets in the file's header.
func (a *assessor) header(sets [][]byte) { a.headers = append(a.headers, sets...) }

// unit counts a picture, and notes the parameter sets that come with it.
func (a *assessor) unit(u *codecs.Unit) {
	if a.r.Pictures == 0 {
		a.begin = u.PTS
	}
	a.r.Pictures++
	a.end = max(a.end, u.PTS)
	found := setsOf{unit: a.position}
	a.position++
	for _, n := range u.Payload {
		switch {
		case isSet(a.stream.codec(), n):
			found.sums = append(found.sums, sha256.Sum256(bytes.TrimRight(n, "\x00")))
		case isSlice(a.stream.codec(), n):
			a.slices++
		}
	}
	if found.sums != nil {
		a.sets = append(a.sets, found)
	}
}

// prove notes that the parameter sets of a group are authentic.
func (a *assessor) prove(g mediasign.GOP) {
	keep := a.sets[:0]
	for _, s := range a.sets {
		switch {
		case s.unit > g.Last.Unit:
			keep = append(keep, s)
		case s.unit >= g.First.Unit && g.Verdict == mediasign.Authentic:
			for _, sum := range s.sums {
				a.proven[sum] = true
			}
		}
	}
	a.sets = keep
}

func isSlice(c codecs.Codec, n []byte) bool {
	if c == codecs.H265 {
		return h265.TypeOf(n).VCL()
	}
	return h264.TypeOf(n).VCL()
}

func isSet(c codecs.Codec, n []byte) bool {
	if c == codecs.H265 {
		t := h265.TypeOf(n)
		return t == h265.VPS || t == h265.SPS || t == h265.PPS
	}
	t := h264.TypeOf(n)
	return t == h264.SPS || t == h264.PPS
}

// take takes in what the verifier says.
func (a *assessor) take(gops []mediasign.GOP) {
	for _, g := range gops {
		if g.Tail {
			a.tail = append(a.tail, g)
			a.r.GOPs = max(a.r.GOPs, g.Number)
			continue
		}
		a.gop(g)
	}
}

// gop takes in one group.
func (a *assessor) gop(g mediasign.GOP) {
	a.r.GOPs = max(a.r.GOPs, g.Number)
	if g.Origin != nil {
		a.signed(g)
	}
	switch {
	case g.Verdict != mediasign.Authentic:
		a.problem(a.describe(g))
	case g.Began:
		p := a.about(g, "restarted")
		p.Text = fmt.Sprintf("%s: the signer began anew here; what was between this and the group before is not known.", name(g))
		a.problem(p)
	}
	if g.Origin == nil || g.Units == 0 {
		a.clock.reset()
		return
	}
	if text := a.clock.check(g); text != "" {
		p := a.about(g, "time")
		p.Text = name(g) + ": " + text
		a.problem(p)
		return
	}
	a.prove(g)
	if g.Verdict == mediasign.Authentic {
		a.period(g)
	}
}

// signed notes who signed.
func (a *assessor) signed(g mediasign.GOP) {
	a.r.Signed = true
	if d := g.End.Sub(g.Start); !g.End.IsZero() && d > a.longest && d < time.Hour {
		a.longest = d
	}
	if a.origin == nil {
		a.origin = g.Origin
		a.identify(g.Start)
	}
	a.ours = a.ours || g.Origin.Vendor.Manufacturer == "Sightline"
}

// identify says whose signature it is, and whether it is the one expected.
func (a *assessor) identify(at time.Time) {
	leaf := a.origin.Chain[0]
	sum := sha256.Sum256(a.origin.Key())
	a.r.Key = hex.EncodeToString(sum[:])
	a.r.Subject = leaf.Subject.String()
	if key, ok := leaf.PublicKey.(*ecdsa.PublicKey); ok {
		if id, err := identity.PeerIDOf(key); err == nil {
			a.r.Camera = id
		}
	}
	if a.options.Camera != "" && a.options.Camera != a.r.Camera {
		a.problem(Problem{Kind: "other-key", Text: fmt.Sprintf("It was signed by %s, not by the camera %s.", a.signer(), a.options.Camera.Grouped())})
	}
	if len(a.options.Trusted) > 0 && !a.trusted(leaf, at) {
		a.problem(Problem{Kind: "other-key", Text: fmt.Sprintf("It was signed by %s, whose certificate none of those given has issued.", a.signer())})
	}
}

// signer names who signed.
func (a *assessor) signer() string {
	if a.r.Camera != "" && a.origin.Vendor.Manufacturer == "Sightline" {
		return "the camera " + a.r.Camera.Grouped()
	}
	return fmt.Sprintf("%q, key %s…", a.r.Subject, a.r.Key[:16])
}

// trusted reports whether a certificate is one of those given, or issued by one. It
// counts what was valid when the video was made.
func (a *assessor) trusted(leaf *x509.Certificate, at time.Time) bool {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range a.options.Trusted {
		if bytes.Equal(c.Raw, leaf.Raw) {
			return true
		}
		roots.AddCert(c)
	}
	for _, c := range a.origin.Chain[1:] {
		between.AddCert(c)
	}
	if at.IsZero() {
		at = leaf.NotBefore
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}

// period adds an authentic group to the newest period, or begins one.
func (a *assessor) period(g mediasign.GOP) {
	end := g.End
	if end.IsZero() {
		end = g.Start
	}
	if n := len(a.r.Periods); n > 0 && a.last.Origin != nil && g.Counter == a.last.Counter+1 && !g.Began {
		last := &a.r.Periods[n-1]
		const pause = 10 * time.Millisecond
		switch d := g.Start.Sub(last.To); {
		case a.r.Periods[n-1].To.Equal(a.last.End) && d >= -pause && d <= pause, a.last.End.IsZero():
			last.To, last.Last = end, max(last.Last, g.Number)
			a.last = g
			return
		case d > pause && last.To.Equal(a.last.End):
			a.note(fmt.Sprintf("Nothing was captured from %s to %s: the signer says so.", stamp(last.To), stamp(g.Start)))
		}
	}
	a.r.Periods = append(a.r.Periods, Period{From: g.Start, To: end, First: g.Number, Last: g.Number})
	a.last = g
}

func (a *assessor) note(text string) {
	const most = 100
	if len(a.r.Notes) < most {
		a.r.Notes = append(a.r.Notes, text)
	}
}

func (a *assessor) problem(p Problem) {
	const most = 10_000
	a.wrong++
	if len(a.r.Problems) < most {
		a.r.Problems = append(a.r.Problems, p)
	}
}

// damaged notes that the file cannot be read to its end.
func (a *assessor) damaged(err error) {
	text := strings.TrimSuffix(err.Error(), ": "+ErrFormat.Error())
	a.problem(Problem{Kind: "damaged", At: a.offset(a.end), Text: "The file cannot be read to its end: " + text + "."})
}

// offset returns how far from the beginning of the file a picture is.
func (a *assessor) offset(pts int64) time.Duration {
	return time.Duration(float64(pts-a.begin) / clock * float64(time.Second)).Round(time.Millisecond)
}
