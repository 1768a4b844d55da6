package peer

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// meter measures what a rendition costs, GOP by GOP.
type meter struct {
	start                     time.Time // arrival of the key frame that began the GOP
	last                      time.Time // arrival of the newest frame
	all, referenced, key      int       // bytes of this GOP
	rateAll, rateRef, rateKey int       // bit/s, 0 while unknown
}

// minGOP is the shortest time a rate is measured over.
const minGOP = 500 * time.Millisecond

func (m *meter) add(u *codecs.Unit) {
	if u.Key {
		if d := u.Arrived.Sub(m.start); m.start.IsZero() || d >= minGOP {
			if !m.start.IsZero() {
				m.settle(d)
			}
			m.start = u.Arrived
			m.all, m.referenced, m.key = 0, 0, 0
		}
	}
	n := u.Size()
	m.all += n
	if !u.Discardable {
		m.referenced += n
	}
	if u.Key {
		m.key += n
	}
	m.last = u.Arrived
	if d := u.Arrived.Sub(m.start); d >= 2*time.Second || (m.rateAll == 0 && d >= minGOP) {
		m.settle(d) // a long GOP must not hide what it costs
	}
}

func (m *meter) settle(d time.Duration) {
	rate := func(bytes int) int { return int(float64(bytes*8) / d.Seconds()) }
	m.rateAll, m.rateRef, m.rateKey = rate(m.all), rate(m.referenced), rate(m.key)
}

// need returns what is known of a rung of this rendition; ok is false while
// nothing is.
func (m *meter) need(d drop) (bitrate int, ok bool) {
	switch d {
	case dropNothing:
		return m.rateAll, m.rateAll > 0
	case dropDiscardable:
		return m.rateRef, m.rateAll > 0
	case dropDeltas:
		return m.rateKey, m.rateAll > 0
	}
	return 0, false
}
