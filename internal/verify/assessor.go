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
	pace  pace
	tail  []mediasign.GOP

	origin  *mediasign.Origin // of the first signature
	named   bool              // name is known
	name    string            // what the signer calls the camera
	ours    bool              // the signer covers parameter sets too
	begin   int64             // PTS of the first picture
	end     int64             // PTS of the newest picture
	most    signedGroups
	last    mediasign.GOP // the newest one signed
	shown   shownGroup    // as it is shown
	follows bool          // nothing but the tail follows shown

	current  [][]byte          // parameter sets of the header that count now
	sets     []setsOf          // those of units not judged yet
	proven   map[[32]byte]bool // those of authentic groups
	formats  map[[32]byte]bool // those read
	reorder  int               // the most that any of them says
	position int               // units so far
	slices   int               // NAL units of pictures so far
	strange  bool              // there were units of a kind that is not signed
	wrong    int               // problems
}

// setsOf are the hashes of the parameter sets in a unit.
type setsOf struct {
	unit int
	sums [][32]byte
}

func newAssessor(s stream, o Options) *assessor {
	a := &assessor{options: o, stream: s, proven: map[[32]byte]bool{}, formats: map[[32]byte]bool{}}
	a.r.Codec = s.codec().String()
	a.r.Periods, a.r.Problems = []Period{}, []Problem{}
	a.clock = clockCheck{tolerance: o.Tolerance, timed: s.timed()}
	a.pace.timed = s.timed()
	a.r.Notes = s.notes()
	for _, set := range s.headers() {
		a.format(set)
	}
	return a
}

// format notes by how much a parameter set lets pictures be out of order.
func (a *assessor) format(set []byte) (sum [32]byte) {
	const most = 1000
	sum = sha256.Sum256(bytes.TrimRight(set, "\x00"))
	if !a.formats[sum] && len(a.formats) < most {
		a.formats[sum] = true
		if f, ok := parseFormat(a.stream.codec(), set); ok {
			a.reorder = max(a.reorder, f.reorder)
		}
	}
	return sum
}

// unit counts a picture, and notes the parameter sets that come with it.
func (a *assessor) unit(u *codecs.Unit, shown int64) {
	if a.r.Pictures == 0 {
		a.begin = u.PTS
	}
	a.r.Pictures++
	a.end = max(a.end, u.PTS)
	codec := a.stream.codec()
	found := setsOf{unit: a.position}
	reorder := 0
	for _, n := range u.Payload {
		n = bytes.TrimRight(n, "\x00")
		switch {
		case isSet(codec, n):
			found.sums = append(found.sums, a.format(n))
		case isSlice(codec, n):
			a.slices++
			if reordered(codec, n) {
				reorder = a.reorder
			}
		case !covered(codec, n) && !a.strange:
			a.strange = true
			a.problem(Problem{Kind: "container", At: a.offset(u.PTS), Text: "The video has data of a kind that no signature covers; players may show something else because of it."})
		}
	}
	if found.sums == nil && keyed(codec, u.Payload) {
		for _, n := range a.current {
			if isSet(codec, n) {
				found.sums = append(found.sums, a.format(n))
			}
		}
	}
	if found.sums != nil {
		a.sets = append(a.sets, found)
	}
	a.pace.add(u.PTS, shown, reorder)
	a.position++
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

// keyed reports whether a unit is one at which decoding can start.
func keyed(c codecs.Codec, units [][]byte) bool {
	for _, n := range units {
		if isSlice(c, n) {
			return c == codecs.H265 && h265.TypeOf(n).IRAP() || c == codecs.H264 && h264.TypeOf(n) == h264.IDR
		}
	}
	return false
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
		a.follows = false
		return
	}
	shown, text := a.pace.group(g)
	if g.Verdict != mediasign.Authentic {
		text = ""
	}
	if wrong := a.clock.check(g, shown); text == "" {
		text = wrong
	}
	a.shown, a.follows = shown, true
	a.measure(g, shown)
	a.pace.drop(g.Last.Unit + 1)
	if text != "" {
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
	if a.origin == nil {
		a.origin = g.Origin
		a.identify(g.Start)
	}
	a.called(g)
	a.ours = a.ours || g.Origin.Vendor.Manufacturer == "Sightline"
}

// measure notes the longest of the authentic groups.
func (a *assessor) measure(g mediasign.GOP, shown shownGroup) {
	if g.Verdict != mediasign.Authentic {
		return
	}
	if d := g.End.Sub(g.Start); !g.End.IsZero() && d < time.Hour {
		a.most.length = max(a.most.length, d)
	}
	a.most.pictures, a.most.units = max(a.most.pictures, shown.pictures), max(a.most.units, g.Units)
}

// called notes what the signer calls the camera, and that it is one.
func (a *assessor) called(g mediasign.GOP) {
	called := g.Origin.Vendor.Camera()
	if !a.named {
		a.named, a.name, a.r.CameraName = true, called, called
		if want := a.options.CameraName; want != "" && called != want && !strings.HasPrefix(called, want+"/") {
			text := "The signature does not say which of the device's cameras it is."
			if called != "" {
				text = fmt.Sprintf("It is of the camera %q, not of %q.", called, want)
			}
			a.problem(Problem{Kind: "other-camera", Text: text})
		}
		return
	}
	if called != a.name {
		p := a.about(g, "other-camera")
		p.Text = fmt.Sprintf("%s: from here on it is of the camera %q, before of %q.", name(g), called, a.name)
		a.problem(p)
		a.name = called
	}
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
