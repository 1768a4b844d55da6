// Package timebase tells when frames were captured: it maps the media clock of a
// camera to the clock on the wall, without that one's steps.
// docs/design/time.md has the rules.
package timebase

import (
	"math/bits"
	"time"
)

// The rules in numbers; all in nanoseconds unless they say otherwise.
const (
	// maxForward is how far behind the clock the times may be without a jump.
	maxForward = int64(time.Second)
	// maxBack is how far ahead of the clock they may be.
	maxBack = 10 * int64(time.Minute)
	// confident is for how long a connection has to be observed before anything is
	// corrected: many cameras begin with a burst of old frames.
	confident = 3 * int64(time.Second)
	// coarse is the error up to which nobody may notice the correction.
	coarse = 100 * int64(time.Millisecond)
	// steerEvery is how much video lies between two corrections.
	steerEvery = int64(time.Second)
	// settle is in how much time a small error is corrected, if it can be.
	settle = 20 * int64(time.Second)
	// finePPM and coarsePPM are how much faster or slower the times run meanwhile.
	finePPM, coarsePPM = 500, 50_000
	// early is how far sound may be ahead of what can have been captured by now.
	early = int64(time.Second)
)

// Mapper maps the media clock of one connection after another to one time that
// rises with it. The zero value is not usable; see New. Not safe for concurrent
// use.
type Mapper struct {
	epoch   time.Time // of elapsed times
	started bool
	since   int64 // elapsed time at which the connection began to be observed
	delays  delayFilter
	clock   clockFilter
	curve   curve

	// Of the reference.
	front       int64 // greatest media time
	lastMedia   int64 // of the unit that came last,
	lastElapsed int64 // and its arrival

	lastSound int64 // µs
}

// New returns a mapper that knows nothing yet.
func New() *Mapper { return &Mapper{} }

// Reference returns when a unit of the track that the times follow was captured: of
// the video, or of the sound where there is none. It is in microseconds since the
// Unix epoch. pts counts in ticks of clock a second, arrived is when the unit came:
// its wall clock is what the times follow, its monotonic reading what tells steps
// of that clock apart from late units. key says that decoding can start at the
// unit; only there the times jump. 0 as long as nothing ever arrived.
func (m *Mapper) Reference(pts int64, clock int, key bool, arrived time.Time) int64 {
	media := nanoseconds(pts, clock)
	if !arrived.IsZero() {
		elapsed, wall := m.read(arrived)
		m.observe(media, elapsed, wall, key)
	}
	return m.curve.reference(media) / 1000
}

// Follow returns when a unit of another track of the same connection was captured.
func (m *Mapper) Follow(pts int64, clock int, arrived time.Time) int64 {
	media := nanoseconds(pts, clock)
	if arrived.IsZero() {
		return m.curve.follow(media) / 1000
	}
	elapsed, wall := m.read(arrived)
	return m.follow(media, elapsed, wall)
}

func (m *Mapper) follow(media, elapsed, wall int64) int64 {
	m.start(media, elapsed, wall)
	at := m.curve.follow(media)
	if !m.delays.empty() {
		// The camera's clock went ahead, and the video does not show it yet.
		now := elapsed - m.delays.least() + m.curve.offset(m.front)
		at = min(at, now+early)
	}
	at /= 1000
	if at <= m.lastSound && m.lastSound-at < maxBack/1000/2 {
		at = m.lastSound + 1
	}
	m.lastSound = at
	return at
}

// Reconnect says that the connection ended. The media clock of the next one goes on
// where this one's was, by elapsed time, but its units may take longer or less long.
func (m *Mapper) Reconnect() { m.delays.reset() }

// read splits an arrival into the elapsed time and the clock on the wall.
func (m *Mapper) read(arrived time.Time) (elapsed, wall int64) {
	if m.epoch.IsZero() {
		m.epoch = arrived
	}
	return int64(arrived.Sub(m.epoch)), arrived.UnixNano()
}

// start takes the first unit of all for captured when it arrived.
func (m *Mapper) start(media, elapsed, wall int64) {
	if m.started {
		return
	}
	m.started = true
	m.clock.observe(wall - elapsed)
	m.front, m.lastMedia, m.lastElapsed = media, media, elapsed
	m.curve.jump(media, wall-media)
}

// observe takes in a unit of the reference.
func (m *Mapper) observe(media, elapsed, wall int64, key bool) {
	m.start(media, elapsed, wall)
	m.clock.observe(wall - elapsed)
	if m.delays.empty() {
		m.since = elapsed
	}
	delay := elapsed - media
	if m.confident(elapsed) && delay < m.delays.least()-maxForward &&
		media-m.lastMedia-(elapsed-m.lastElapsed) > maxForward {
		m.skip(media, elapsed)
	}
	m.delays.add(elapsed, delay)
	if media >= m.front {
		m.front = media
		m.steer(elapsed, key)
	}
	m.lastMedia, m.lastElapsed = media, elapsed
}

// skip takes out a jump of the camera's own clock: it counted more time than there
// was. The times go on by the time that passed.
func (m *Mapper) skip(media, elapsed int64) {
	last := m.lastMedia + m.curve.offset(m.lastMedia)
	at := last + max(elapsed-m.lastElapsed, int64(time.Microsecond))
	m.curve.jump(media, at-media)
	m.delays.reset()
	m.since = elapsed
}

func (m *Mapper) confident(elapsed int64) bool {
	return !m.delays.empty() && elapsed-m.since >= confident
}

// steer brings the times closer to the clock.
func (m *Mapper) steer(elapsed int64, key bool) {
	want := m.delays.least() + m.clock.value()
	wrong := want - m.curve.offset(m.front)
	switch {
	case wrong > maxForward || wrong < -maxBack:
		if key && m.confident(elapsed) {
			m.curve.jump(m.front, want)
			return
		}
		wrong = 0 // wait for the key frame
	case !m.confident(elapsed):
		wrong = 0
	}
	if m.front-m.curve.newest().media >= steerEvery {
		m.curve.turn(m.front, wrong, pace(wrong))
	}
}

// pace returns by how many parts in a million the times run faster, or slower if
// negative, to correct an error.
func pace(wrong int64) int64 {
	switch {
	case wrong > coarse:
		return coarsePPM
	case wrong < -coarse:
		return -coarsePPM
	}
	return min(max(wrong*1_000_000/settle, -finePPM), finePPM)
}

// nanoseconds converts ticks of a clock, 90 kHz if it is not known, rounding
// towards zero.
func nanoseconds(pts int64, clock int) int64 {
	if clock <= 0 {
		clock = 90_000
	}
	v := pts
	if pts < 0 {
		v = -pts
	}
	hi, lo := bits.Mul64(uint64(v), uint64(time.Second))
	q, _ := bits.Div64(hi%uint64(clock), lo, uint64(clock)) // beyond 292 years: meaningless, but no crash
	if pts < 0 {
		return -int64(q)
	}
	return int64(q)
}
