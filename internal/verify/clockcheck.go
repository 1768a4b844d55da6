package verify

import (
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/codecs/mediasign"
)

// clockCheck compares the times in a file with those signed. The times of single
// pictures are not signed, those of groups are.
type clockCheck struct {
	tolerance time.Duration
	timed     bool

	// The stretch of groups that follow one another: its first, and the newest.
	known       bool
	first, last mediasign.GOP
	shown       shownGroup // last as it is shown
}

// reset begins a new stretch.
func (c *clockCheck) reset() { c.known = false }

// check returns what is wrong with the times of a group, which is shown as shown
// says; empty if nothing is.
func (c *clockCheck) check(g mediasign.GOP, shown shownGroup) string {
	if g.Start.IsZero() || !c.timed {
		return ""
	}
	// Whoever records what is watched gets the first pictures late, since they were
	// kept for viewers from the last key frame on, and knows no other time of them.
	const late = 10 * time.Second
	if g.First.At != 0 {
		at := time.UnixMicro(g.First.At).UTC()
		if d := at.Sub(g.Start); d > c.tolerance+late || d < -c.tolerance-late {
			c.known = false
			return fmt.Sprintf("the file says that it was captured at %s, the signature says %s.", stamp(at), stamp(g.Start))
		}
	}
	before, ended := c.last, c.shown
	c.shown = shown
	follows := c.known && g.Counter == before.Counter+1 && !g.Began
	c.last, c.known = g, true
	if !follows {
		c.first = g
		return ""
	}
	const step = 10 * time.Millisecond
	if gap := g.Start.Sub(before.End); gap > step || gap < -step {
		// The signer was interrupted, or its clock was set. The file may leave the
		// time out or keep it.
		c.first = g
		now, most := span(before, g), before.End.Sub(before.Start)+max(gap, 0)
		if now < 0 || now > c.allow(most) {
			return c.wrong(now, most)
		}
		return ""
	}
	if ended.pictures > 0 && shown.begin-ended.end > ended.longest {
		return fmt.Sprintf("the file shows the last picture of the group before for %s.", seconds(duration(shown.begin-ended.end)))
	}
	now, signed := span(c.first, g), g.Start.Sub(c.first.Start)
	if now > c.allow(signed) || now < 2*signed-c.allow(signed) {
		c.first = g
		return c.wrong(now, signed)
	}
	return ""
}

// allow returns the most that a time in the file may be: clocks that are slewed run
// up to 5 % faster or slower.
func (c *clockCheck) allow(d time.Duration) time.Duration { return d + d/16 + c.tolerance }

func (c *clockCheck) wrong(shown, signed time.Duration) string {
	return fmt.Sprintf("the file shows it %s after an earlier group, the signature says %s.", seconds(shown), seconds(signed))
}

// span returns the time in the file from one group to another.
func span(a, b mediasign.GOP) time.Duration {
	return time.Duration(float64(b.First.PTS-a.First.PTS) / clock * float64(time.Second))
}

// stamp is how a report writes times.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") + " UTC" }

// seconds is how a report writes durations.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
