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
		r.Summary = fmt.Sprintf("AUTHENTIC: signed by %s, from %s to %s%s.", a.signer(), stamp(first.From), stamp(last.To), r.unsigned)
	default:
		r.Summary = fmt.Sprintf("NOT AUTHENTIC: problems found: %d.", a.wrong)
	}
	return *r
}

// conclude judges the end, and the header of the file.
func (a *assessor) conclude() {
	for _, f := range a.stream.faults() {
		a.problem(Problem{Kind: "container", Text: f})
	}
	a.unsignedTail()
	a.creation()
	if !a.ours {
		if a.r.Signed {
			a.note("The signer does not cover parameter sets and messages to players (SEI); the standard does not ask for it.")
		}
		return
	}
	for _, s := range a.stream.headers() {
		s = bytes.TrimRight(s, "\x00")
		if isSet(a.stream.codec(), s) && !a.proven[sha256.Sum256(s)] {
			a.problem(Problem{Kind: "container", Text: "The file's header has parameter sets that the signed pictures do not have; players may use them."})
			return
		}
	}
}

// creation says if the file gives another time of creation than the signatures: an
// export has one too, which is later.
func (a *assessor) creation() {
	if len(a.r.Periods) == 0 {
		return
	}
	const since1904, day = 2_082_844_800, 24 * time.Hour
	for _, s := range a.stream.created() {
		at := time.Unix(int64(min(s, 1<<40))-since1904, 0).UTC()
		if s != 0 && (at.Before(a.r.Periods[0].From.Add(-day)) || at.After(a.r.Periods[len(a.r.Periods)-1].To.Add(day))) {
			a.note(fmt.Sprintf("The file says that it was made on %s; that is not signed, and far from the times that are.", stamp(at)))
			return
		}
	}
}
