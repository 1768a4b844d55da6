package verify

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"time"
)

// report concludes.
func (a *assessor) report() Report {
	a.conclude()
	r := &a.r
	r.AllWell = r.Signed && a.wrong == 0 && len(r.Periods) > 0
	switch {
	case !r.Signed && a.wrong == 0 && r.Pictures == 0:
		r.Summary = "There are no pictures in the file."
	case !r.Signed:
		r.Summary = "NOT SIGNED: no picture in the file has a signature, so nothing can be said of them."
	case r.AllWell:
		first, last := r.Periods[0], r.Periods[len(r.Periods)-1]
		r.Summary = fmt.Sprintf("AUTHENTIC: signed by %s, from %s to %s.", a.signer(), stamp(first.From), stamp(last.To))
	default:
		r.Summary = fmt.Sprintf("NOT AUTHENTIC: problems found: %d.", a.wrong)
	}
	return *r
}

// conclude judges the end, and the header of the file.
func (a *assessor) conclude() {
	a.unsignedTail()
	if !a.ours {
		if a.r.Signed {
			a.note("The signer does not cover parameter sets and messages to players (SEI); the standard does not ask for it.")
		}
		return
	}
	if len(a.proven) == 0 {
		return // the verifier took the header's
	}
	for _, s := range a.headers {
		s = bytes.TrimRight(s, "\x00")
		if isSet(a.stream.codec(), s) && !a.proven[sha256.Sum256(s)] {
			a.problem(Problem{Kind: "container", Text: "The file's header has parameter sets that the signed pictures do not have; players may use them."})
			return
		}
	}
}

// unsignedTail names the end that no signature covers. It is a fault if it is
// longer than the signature of what is there could be away.
func (a *assessor) unsignedTail() {
	if len(a.tail) == 0 {
		return
	}
	first, last := a.tail[0], a.tail[len(a.tail)-1]
	units := 0
	for _, g := range a.tail {
		units += g.Units
	}
	if !a.r.Signed {
		return // nothing is signed
	}
	length := time.Duration(float64(last.Last.PTS-first.First.PTS) / clock * float64(time.Second))
	p := Problem{Kind: "unsigned", GOP: first.Number, From: a.last.End, At: a.offset(first.First.PTS)}
	p.Text = fmt.Sprintf("The last %s (%d %s, from GOP %d on) have no signature: nothing proves them.", seconds(length), units, a.word(), first.Number)
	const shortest = 10 * time.Second
	if a.options.Whole || len(a.tail) > 2 || length > max(shortest, 2*a.longest) {
		a.problem(p)
		return
	}
	p.Text += " A recording usually ends so: the signature of its end stands in the frame that would follow."
	a.r.Tail = &p
}
