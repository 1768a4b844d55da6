package fmp4

import "time"

// Limits of times, far above those of a segment.
const (
	// maxTicks bounds media times: at 90 kHz four months.
	maxTicks = 1 << 40
	// maxDuration bounds a fragment's, in microseconds: a day.
	maxDuration = 24 * 3600 * 1_000_000
)

// micros returns n microseconds.
func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// scale returns v·num/den to the nearest, halves away from zero. It wraps around
// where v·num does.
func scale(v, num, den int64) int64 {
	p := v * num
	if p < 0 {
		return (p - den/2) / den
	}
	return (p + den/2) / den
}

// ticksToMicros converts a difference of media times.
func ticksToMicros(ticks int64, clock int) int64 { return scale(ticks, 1_000_000, int64(clock)) }

// microsToTicks converts a difference of times of capture.
func microsToTicks(us int64, clock int) int64 { return scale(us, int64(clock), 1_000_000) }

// ntp returns a time as in RFC 5905 §6: 32 bits of seconds since 1900, and 32 of
// their fraction.
func ntp(us int64) uint64 {
	const second = 1_000_000
	const since1900 = 2_208_988_800
	s, frac := us/second, us%second
	if frac < 0 {
		s, frac = s-1, frac+second
	}
	return uint64(s+since1900)<<32 | uint64(frac)<<32/second
}
