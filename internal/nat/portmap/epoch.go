package portmap

import "time"

// epoch follows a router's count of seconds since it last lost its mappings
// (RFC 6887 §8.5, RFC 6886 §3.6).
type epoch struct {
	server uint32    // what it last said
	at     time.Time // when it said so; zero: never
}

// update takes an answer's count and reports whether the router lost its mappings
// since the answer before.
func (e *epoch) update(server uint32, now time.Time) (restarted bool) {
	before := *e
	e.server, e.at = server, now
	if before.at.IsZero() {
		return false
	}
	if int64(server)+1 < int64(before.server) {
		return true
	}
	theirs := int64(server) - int64(before.server)
	ours := int64(now.Sub(before.at) / time.Second)
	// The two clocks may differ by a sixteenth, and by two seconds of rounding.
	return ours+2 < theirs-theirs/16 || theirs+2 < ours-ours/16
}
