package testsrc

import "time"

// grid is a place in a row of instants that divide every second since the Unix
// epoch evenly.
type grid struct {
	perSecond, index int64
}

// gridAfter returns the first place at or after t.
func gridAfter(t time.Time, perSecond int64) grid {
	g := grid{perSecond: perSecond}
	g.index = g.indexAt(t.Add(-1)) + 1
	return g
}

// indexAt returns the last place at or before t.
func (g grid) indexAt(t time.Time) int64 {
	// An instant that is no whole number of nanoseconds is rounded down, so
	// look one nanosecond ahead.
	return t.Unix()*g.perSecond + (int64(t.Nanosecond())*g.perSecond+g.perSecond-1)/int64(time.Second)
}

func (g grid) at(index int64) time.Time {
	return time.Unix(index/g.perSecond, index%g.perSecond*int64(time.Second)/g.perSecond).UTC()
}

// time returns the instant of the place.
func (g grid) time() time.Time { return g.at(g.index) }

// end returns the instant of the next place.
func (g grid) end() time.Time { return g.at(g.index + 1) }

// moveTo goes to the last place at or before t and returns how many it passed
// over.
func (g *grid) moveTo(t time.Time) int64 {
	n := g.indexAt(t) - g.index
	g.index += n
	return n
}
