package retention

import (
	"math"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

const (
	// leap is by how much a clock may be set without anybody noticing.
	leap = time.Minute
	// leaps is how many are remembered; beyond it the first two become one.
	leaps = 64
)

// clock notices when the clock on the wall leaps ahead. What it leapt over may not
// have passed at all, and does not make recordings older. The same goes for the time
// between the newest recording and the beginning of this process. Owned by
// Keeper.Run.
type clock struct {
	skipped []recordings.Range // in order, not overlapping
	// What the last look said.
	wall   recordings.Time // 0: there was none
	uptime time.Duration   // by a clock that nobody sets
	ends   []recordings.Time
}

// look says what the clocks show, and where the recordings of streams end. It returns
// what was leapt over since the last look, or an empty range.
func (c *clock) look(wall recordings.Time, uptime time.Duration, ends []recordings.Time) recordings.Range {
	expected := c.wall
	if c.wall < clockSet { // also before the first look
		if c.wall == 0 {
			c.ends = ends
		}
		for _, end := range c.ends {
			if end <= wall {
				expected = max(expected, end)
			}
		}
	}
	if c.wall != 0 {
		expected = expected.Add(uptime - c.uptime)
		c.back(wall)
	}
	c.wall, c.uptime, c.ends = wall, uptime, ends
	if expected == 0 || wall.Sub(expected) <= leap {
		return recordings.Range{}
	}
	r := recordings.Range{From: expected, To: wall}
	if c.skipped = append(c.skipped, r); len(c.skipped) > leaps {
		c.skipped[1].From = c.skipped[0].From
		c.skipped = slices.Delete(c.skipped, 0, 1)
	}
	return r
}

// back takes back what was leapt over if the clock has been set back.
func (c *clock) back(wall recordings.Time) {
	c.skipped = slices.DeleteFunc(c.skipped, func(r recordings.Range) bool { return r.From >= wall })
	if n := len(c.skipped); n > 0 {
		c.skipped[n-1].To = min(c.skipped[n-1].To, wall)
	}
}

// always is all time there is.
func always() recordings.Range { return recordings.Range{From: math.MinInt64, To: math.MaxInt64} }
