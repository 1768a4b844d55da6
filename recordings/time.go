package recordings

import "time"

// Time is an instant in microseconds since the Unix epoch, UTC. It is exact in
// files, in the index and over the wire.
type Time int64

// TimeOf returns t, rounded down to a microsecond.
func TimeOf(t time.Time) Time { return Time(t.UnixMicro()) }

// Std returns the time in UTC.
func (t Time) Std() time.Time { return time.UnixMicro(int64(t)).UTC() }

// Add returns t+d, d rounded towards zero to a microsecond.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Microseconds()) }

// Sub returns t-u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Microsecond }

// String is RFC 3339 with microseconds.
func (t Time) String() string { return t.Std().Format("2006-01-02T15:04:05.000000Z") }

// Range is the time from From up to, and without, To.
type Range struct{ From, To Time }

// Duration is how long it is.
func (r Range) Duration() time.Duration { return r.To.Sub(r.From) }

// Empty reports whether nothing is inside.
func (r Range) Empty() bool { return r.To <= r.From }

// Overlaps reports whether the two have an instant in common.
func (r Range) Overlaps(o Range) bool { return r.From < o.To && o.From < r.To }
