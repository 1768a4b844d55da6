package verify

import (
	"fmt"
	"strings"

	"github.com/sightline-cam/sightline/codecs/mediasign"
)

// name says which group it is.
func name(g mediasign.GOP) string {
	out := fmt.Sprintf("GOP %d", g.Number)
	if g.Number == 0 {
		out = "The beginning, before the first key frame"
	}
	if g.Part > 0 {
		out += fmt.Sprintf(", part %d", g.Part)
	}
	if !g.Start.IsZero() {
		out += " (" + stamp(g.Start) + ")"
	}
	return out
}

// about returns a problem of a group, without its text.
func (a *assessor) about(g mediasign.GOP, kind string) Problem {
	return Problem{Kind: kind, GOP: g.Number, Part: g.Part, From: g.Start, To: g.End, At: a.offset(g.Where.PTS)}
}

// word is what the counts are of.
func (a *assessor) word() string {
	if a.slices > a.r.Pictures {
		return "slices of pictures"
	}
	return "pictures"
}

// describe returns the problem that a verdict says.
func (a *assessor) describe(g mediasign.GOP) Problem {
	p := a.about(g, g.Verdict.String())
	n := name(g)
	switch g.Verdict {
	case mediasign.Modified:
		p.Text = n + ": " + changes(g, a.word()) + "."
	case mediasign.FramesMissing:
		p.Text = fmt.Sprintf("%s: %d of %d %s are missing; those there are authentic.", n, g.Missing, g.Covered, a.word())
	case mediasign.Reordered:
		p.Text = n + ": it is not where it belongs."
		if g.Moved == 0 {
			p.Text = n + ": its pictures are as they were signed, but its signature is not where it belongs."
		} else if g.Moved < g.Covered {
			p.Text = fmt.Sprintf("%s: %d of %d %s are in a wrong place.", n, g.Moved, g.Covered, a.word())
		}
	case mediasign.Repeated:
		p.Text = n + ": it was there before."
		if g.Covered > 0 {
			p.Text = fmt.Sprintf("%s: %d %s are there more than once.", n, g.Repeated, a.word())
		}
	case mediasign.Missing:
		p.Text = missing(g)
	case mediasign.Inserted:
		p.Text = n + ": it does not belong here; between the groups before and after it nothing was signed."
	case mediasign.Unsigned:
		p.Text = n + ": its signature is missing."
	case mediasign.BadSignature:
		p.Text = fmt.Sprintf("%s: its signature is wrong: %s.", n, g.Reason)
		if g.Stray {
			p.Text = fmt.Sprintf("After GOP %d: there is a wrong signature: %s.", g.Number, g.Reason)
		}
	case mediasign.OtherKey:
		p.Text = n + ": another key signed it."
	default:
		p.Text = n + ": " + g.Verdict.String() + "."
	}
	return p
}

// missing describes groups that are not there.
func missing(g mediasign.GOP) string {
	after := fmt.Sprintf("After GOP %d", g.Number)
	if g.Number == 0 {
		after = "At the beginning"
	}
	what := "an unknown number of signed groups is missing"
	switch {
	case g.Pieces == 1:
		what = "one signed group is missing"
	case g.Pieces > 1:
		what = fmt.Sprintf("%d signed groups are missing", g.Pieces)
	}
	when := ""
	if !g.Start.IsZero() {
		when = " (the first known one of " + stamp(g.Start) + ")"
	}
	return after + ": " + what + when + "; they were removed, or never recorded."
}

// changes lists what was changed in a group.
func changes(g mediasign.GOP, what string) string {
	var list []string
	if g.Changed > 0 {
		list = append(list, fmt.Sprintf("%d of %d %s were changed", g.Changed, g.Covered, what))
	}
	if g.Added > 0 {
		list = append(list, fmt.Sprintf("%d %s were put in that were not signed", g.Added, what))
	}
	if g.Missing > 0 {
		list = append(list, fmt.Sprintf("%d are missing", g.Missing))
	}
	if g.Moved > 0 {
		list = append(list, fmt.Sprintf("%d are in a wrong place", g.Moved))
	}
	if g.ParameterSets {
		list = append(list, "the parameter sets, which say how to decode it, were changed")
	}
	if g.Messages {
		list = append(list, "messages to the player (SEI) were changed, put in or taken out")
	}
	return strings.Join(list, ", ")
}
