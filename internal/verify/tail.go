package verify

import (
	"fmt"
	"time"
)

// signedGroups are the longest of the signed groups.
type signedGroups struct {
	length          time.Duration
	pictures, units int
}

// tailSize is how much at the end of a file no signature covers.
type tailSize struct {
	length                  time.Duration
	groups, pictures, units int
}

// unsignedTail names the end that no signature covers. It is a fault if it is
// longer than the signature of what is there could be away: the signature of a
// group stands in the one after it.
func (a *assessor) unsignedTail() {
	if len(a.tail) == 0 || !a.r.Signed {
		return
	}
	first := a.tail[0]
	list := a.pace.units(first.First.Unit, a.position)
	size := tailSize{groups: len(a.tail), pictures: len(list)}
	for _, g := range a.tail {
		size.units += g.Units
	}
	begin, end, late := first.First.PTS, first.First.PTS, false
	for _, u := range list {
		begin, end = min(begin, u.pts), max(end, u.pts+max(u.shown, 0))
		late = late || u.late
	}
	if a.follows && a.pace.timed {
		if held := begin - a.shown.end; held > a.shown.longest {
			a.problem(Problem{Kind: "time", GOP: first.Number, At: a.offset(a.shown.end), Text: fmt.Sprintf("The file shows the last signed picture for %s.", seconds(duration(held)))})
		}
		begin = min(begin, a.shown.end+a.shown.longest)
	}
	size.length = duration(end - begin)
	p := Problem{Kind: "unsigned", GOP: first.Number, From: a.last.End, At: a.offset(first.First.PTS)}
	p.Text = fmt.Sprintf("The last %s (%d %s, from GOP %d on) have no signature: nothing proves them.", seconds(size.length), size.units, a.word(), first.Number)
	switch {
	case a.options.Whole, a.tooLong(size), late && a.pace.timed:
		a.problem(p)
		return
	case a.ours && !a.provenTail(first.First.Unit):
		p.Text += " They bring parameter sets that no signed picture has."
		a.problem(p)
		return
	}
	p.Text += " A recording usually ends so: the signature of its end stands in the frame that would follow."
	a.r.Tail = &p
	a.r.unsigned = fmt.Sprintf("; the last %s (%d %s) are NOT SIGNED", seconds(size.length), size.units, a.word())
}

// tooLong reports whether the tail is longer than the two groups at most that a
// signature is away. Signatures of groups shorter than half a second are further.
func (a *assessor) tooLong(t tailSize) bool {
	const interval, sl = 500 * time.Millisecond, time.Second
	m, times := a.most, 2
	if m.length > 0 && m.length < interval {
		times *= int((interval + m.length - 1) / m.length)
	}
	return t.groups > times || t.pictures > times*m.pictures+2 || t.units > times*m.units+4 ||
		a.pace.timed && t.length > time.Duration(times)*m.length*17/16+sl
}

// provenTail reports whether all parameter sets from a unit on are those of
// authentic groups.
func (a *assessor) provenTail(unit int) bool {
	for _, s := range a.sets {
		for _, sum := range s.sums {
			if s.unit >= unit && !a.proven[sum] {
				return false
			}
		}
	}
	return true
}
