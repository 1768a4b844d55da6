package recorder

import (
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// noGap is the longest time between two segments that counts as none.
const noGap = 2 * time.Millisecond

// gapLog notes why nothing is recorded until the next segment says so.
type gapLog struct {
	notes []gapNote
}

// gapNote says that a cause holds since then; 0: since what was written last.
type gapNote struct {
	cause recordings.Cause
	since recordings.Time
}

// note adds a cause that replaces the one before from then on.
func (g *gapLog) note(cause recordings.Cause, since recordings.Time) {
	n := len(g.notes)
	switch {
	case n > 0 && g.notes[n-1].cause == cause:
		return
	case n > 0 && since < g.notes[n-1].since:
		since = g.notes[n-1].since
	}
	if n == fmp4.MaxGaps {
		g.notes[n-1].cause = cause // the last one speaks for what there is no room for
		return
	}
	g.notes = append(g.notes, gapNote{cause, since})
}

func (g *gapLog) clear() { g.notes = g.notes[:0] }

// list returns why there is nothing directly before a segment that starts then, and
// the gaps that this does not tell, if what was written before ends at end; 0:
// nothing was.
func (g *gapLog) list(stream recordings.Stream, end, start recordings.Time) (before recordings.Cause, gaps []recordings.Gap) {
	if end == 0 || start.Sub(end) <= noGap {
		return "", nil
	}
	for i, n := range g.notes {
		r := recordings.Range{From: max(n.since, end), To: start}
		if i+1 < len(g.notes) {
			r.To = min(start, max(g.notes[i+1].since, end))
		}
		if i == 0 {
			r.From = end // whatever it is, it was the first
		}
		if r.Empty() {
			continue
		}
		if m := len(gaps); m > 0 && gaps[m-1].Cause == n.cause {
			gaps[m-1].To = r.To
			continue
		}
		gaps = append(gaps, recordings.Gap{Stream: stream, Range: r, Cause: n.cause})
	}
	switch len(gaps) {
	case 0:
		return recordings.FramesLost, nil
	case 1:
		return gaps[0].Cause, nil // the hole itself says from when to when
	}
	return gaps[len(gaps)-1].Cause, gaps
}
