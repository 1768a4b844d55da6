package rtsp

import (
	"time"

	"github.com/pion/rtcp"
)

// senderClock gives the wall clock time of RTP time stamps by the sender
// reports of their stream (RFC 3550 §6.4.1). The library's own function is not
// used: it takes the 32-bit binary fraction of the NTP time for nanoseconds and
// is up to 3.3 s off.
type senderClock struct {
	rate int // ticks a second, constant

	known bool
	ssrc  uint32
	rtp   uint32
	wall  time.Time
}

// report takes in a sender report.
func (c *senderClock) report(r *rtcp.SenderReport) {
	t := ntpTime(r.NTPTime)
	if t.Year() < 2000 {
		return // no time at all, or time since the camera was switched on
	}
	c.known, c.ssrc, c.rtp, c.wall = true, r.SSRC, r.RTPTime, t
}

// at returns the time of a time stamp; zero while it is not known.
func (c *senderClock) at(ssrc, ts uint32) time.Time {
	if !c.known || ssrc != c.ssrc {
		return time.Time{}
	}
	d := int64(int32(ts - c.rtp))
	return c.wall.Add(time.Duration(d * int64(time.Second) / int64(c.rate)))
}

// ntpTime converts an NTP time stamp: seconds since 1900 and a binary
// fraction (RFC 3550 §4). Numbers below 2^31 belong to the era that begins
// in 2036 (RFC 2030 §3).
func ntpTime(v uint64) time.Time {
	const to1970 = 2208988800
	s := int64(v >> 32)
	if s < 1<<31 && v != 0 {
		s += 1 << 32
	}
	ns := (v & 0xffffffff) * uint64(time.Second) >> 32
	return time.Unix(s-to1970, int64(ns))
}
