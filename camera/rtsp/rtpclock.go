package rtsp

import "time"

// rtpClock turns the 32-bit time stamps of one RTP stream (RFC 3550 §5.1) into
// ticks that count on. All streams of a connection count from its beginning:
// the first packet of each is placed by its arrival, the others by their time
// stamps.
type rtpClock struct {
	rate  int       // ticks a second, constant
	begin time.Time // of the connection, constant

	started bool
	last    uint32    // newest time stamp
	ticks   int64     // its place
	seen    time.Time // its arrival
}

// maxJump is how far time stamps and arrival may disagree from one packet to
// the next; beyond, the camera has set its clock, and arrival counts.
const maxJump = 10 * time.Second

// at returns the place of a time stamp that arrived now. B-frames have earlier
// time stamps than the pictures before them, by less than a second.
func (c *rtpClock) at(ts uint32, now time.Time) int64 {
	if !c.started {
		c.started, c.last, c.seen = true, ts, now
		c.ticks = c.ticksOf(now.Sub(c.begin))
		return c.ticks
	}
	step := int64(int32(ts - c.last))
	elapsed := c.ticksOf(now.Sub(c.seen))
	limit := c.ticksOf(maxJump)
	if step < -int64(c.rate) || step-elapsed > limit || elapsed-step > limit {
		step = max(elapsed, 1)
	}
	c.last, c.seen = ts, now
	c.ticks += step
	return c.ticks
}

func (c *rtpClock) ticksOf(d time.Duration) int64 {
	s, rest := d/time.Second, d%time.Second
	return int64(s)*int64(c.rate) + int64(rest)*int64(c.rate)/int64(time.Second)
}
