package peer

import (
	"slices"
	"time"
)

// drop says which frames of a rendition are left out.
type drop uint8

const (
	dropNothing drop = iota
	dropDiscardable
	dropDeltas // key frames only
)

// rung is one step of the ladder: a rendition, and what of it is left out.
type rung struct {
	rendition int
	drop      drop
}

const (
	holdFirst = 2 * time.Second
	holdMax   = time.Minute
)

// ladder decides what of a camera a viewer's path can carry: the best
// rendition, the next, then without the frames nothing refers to, then key
// frames only. It goes down when the path is congested and the rate it can
// carry is below what the rung needs; up again when the path has been clear
// for a while and packet trains got through at more than the next rung's rate.
//
// A pure state machine: time is an argument.
type ladder struct {
	rungs []rung
	at    int

	stepped time.Time // last step either way
	raised  time.Time // last step up
	hold    time.Duration
	needs   func(rung) int // bit/s
	settled bool           // has been congested, or has a measurement
}

// newLadder starts on rung start. needs returns a rung's rate in bit/s.
func newLadder(renditions, start int, needs func(rung) int) *ladder {
	l := &ladder{needs: needs, hold: holdFirst}
	all := make([]int, renditions)
	for r := range all {
		all[r] = r
	}
	l.build(all)
	l.at = min(start, renditions-1)
	return l
}

// build makes the rungs of the renditions, best first.
func (l *ladder) build(renditions []int) {
	l.rungs = nil
	for _, r := range renditions {
		l.rungs = append(l.rungs, rung{r, dropNothing})
	}
	last := renditions[len(renditions)-1]
	l.rungs = append(l.rungs, rung{last, dropDiscardable}, rung{last, dropDeltas})
}

// renditions returns those that have a rung, best first.
func (l *ladder) renditions() (out []int) {
	for _, r := range l.rungs {
		if r.drop == dropNothing {
			out = append(out, r.rendition)
		}
	}
	return out
}

// without takes out a rendition; one has to be left.
func (l *ladder) without(rendition int) {
	left := slices.DeleteFunc(l.renditions(), func(r int) bool { return r == rendition })
	l.build(left)
	l.at = min(l.at, len(left)-1)
}

// move goes to all of a rendition for another reason than the path.
func (l *ladder) move(now time.Time, rendition int) {
	l.at, l.stepped = slices.Index(l.rungs, rung{rendition, dropNothing}), now
}

func (l *ladder) rung() rung { return l.rungs[l.at] }

// decide returns the rung for the next frame. share is the part of the path's
// rate that this stream may use, bit/s.
func (l *ladder) decide(now time.Time, st pathState, share int) rung {
	if st.congested {
		l.down(now, st, share)
	} else if l.at > 0 && st.measured {
		l.up(now, st)
	}
	return l.rung()
}

func (l *ladder) down(now time.Time, st pathState, share int) {
	if now.Sub(l.stepped) < 300*time.Millisecond && l.settled {
		return // the last step has not shown an effect yet
	}
	allowed := share * 95 / 100
	to := l.at
	for to < len(l.rungs)-1 && l.needs(l.rungs[to]) > allowed {
		to++
	}
	if to == l.at && now.Sub(l.stepped) > time.Second && now.Sub(st.since) > time.Second && st.queue > 2*queueHigh {
		to = min(l.at+1, len(l.rungs)-1) // it should fit, but the queue stands
	}
	if to == l.at {
		return
	}
	if !l.raised.IsZero() && now.Sub(l.raised) < 6*time.Second {
		l.hold = min(2*l.hold, holdMax) // the last step up was a mistake
	}
	l.at, l.stepped, l.settled = to, now, true
}

func (l *ladder) up(now time.Time, st pathState) {
	next := l.rungs[l.at-1]
	if next.drop == dropDiscardable && l.needs(next) == l.needs(rung{next.rendition, dropNothing}) && l.at > 1 {
		next = l.rungs[l.at-2] // nothing discardable in this stream: one step
	}
	need := l.needs(next) * 13 / 10
	if !l.settled { // started low to be safe: the first measurement decides
		if st.capacity > need {
			l.rise(now, next)
			l.settled = true
		} else if st.capacity > 0 && now.Sub(l.stepped) > holdFirst {
			l.settled, l.stepped = true, now
		}
		return
	}
	quiet := now.Sub(later(l.stepped, st.since))
	if quiet > holdMax && l.hold > holdFirst {
		l.hold = holdFirst
	}
	if st.fresh && st.capacity < need || quiet < l.hold {
		return
	}
	if !st.fresh && quiet < l.hold+capacityAge {
		return // a try without a measurement is a risk
	}
	l.rise(now, next)
}

func (l *ladder) rise(now time.Time, to rung) {
	for i, r := range l.rungs {
		if r == to {
			l.at = i
		}
	}
	l.stepped, l.raised = now, now
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
