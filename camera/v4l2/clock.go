package v4l2

import (
	"time"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// clockRate is the ticks of a PTS a second.
const clockRate = 90_000

// Times of a picture that a driver delivers, by its stamp: an older one, or one further
// in the future, has another clock than the driver says. A driver that reckons with the
// picture's end may be a picture ahead.
const (
	maxAge   = 10 * time.Second
	maxAhead = 100 * time.Millisecond
)

// stamp says when a picture was captured.
type stamp struct {
	pts      int64     // ticks since the session began
	captured time.Time // by this machine's clock
	arrived  time.Time // when the driver gave it
}

// clock turns the drivers' time stamps, which are on CLOCK_MONOTONIC, into the clock
// on the wall and PTS. A driver without them, or with those of another clock, gets the
// time of arrival.
type clock struct {
	begin time.Time
}

// at stamps a frame that was taken from the driver at the time now, which is monotonic
// on the driver's clock.
func (c *clock) at(f uapi.Frame, monotonic time.Duration, now time.Time) stamp {
	var age time.Duration
	if f.HasTime {
		if a := monotonic - f.Time; a >= -maxAhead && a <= maxAge {
			age = a
		}
	}
	captured := now.Add(-age)
	elapsed := captured.Sub(c.begin)
	return stamp{
		pts:      int64(elapsed/time.Second)*clockRate + int64(elapsed%time.Second)*clockRate/int64(time.Second),
		captured: captured.Round(0), arrived: now,
	}
}
