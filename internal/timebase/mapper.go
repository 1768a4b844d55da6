// Package timebase tells when frames were captured: it maps the media clock of a
// camera to the clock on the wall, without that one's steps.
// docs/design/time.md has the rules.
package timebase

import "time"

// Options tune a Mapper. The zero value is ready to use.
type Options struct{}

// Mapper maps the media clock of one connection after another to one time that
// rises with it. Not safe for concurrent use.
type Mapper struct {
	base    time.Time
	pts     int64
	clock   int
	started bool
}

// New returns a mapper that knows nothing yet.
func New(Options) *Mapper { return &Mapper{} }

// At returns when a unit with that PTS, in ticks of clock, was captured, in
// microseconds since the Unix epoch, given that it arrived then.
func (m *Mapper) At(pts int64, clock int, arrived time.Time) int64 {
	if clock <= 0 {
		clock = 90000
	}
	if !m.started {
		m.started, m.base, m.pts, m.clock = true, arrived, pts, clock
	}
	since := time.Duration(float64(pts)/float64(clock)*1e9) - time.Duration(float64(m.pts)/float64(m.clock)*1e9)
	return m.base.UnixMicro() + since.Microseconds()
}
