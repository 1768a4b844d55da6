package trust

import (
	"time"

	"github.com/sightline-cam/sightline/internal/access"
)

const (
	// firstBelievable is the first moment that a local clock may show, 2026-01-01
	// UTC: whatever shows an earlier one has lost its battery.
	firstBelievable = 1767225600
	// maxBehind is how far a local clock may be behind what owners have signed.
	maxBehind = 24 * time.Hour
	// maxAhead is how much of the time that an owner has signed is believed beyond a
	// local clock that can be right.
	maxAhead = 24 * time.Hour
)

// Now returns the time by which access ends: the later of the local clock and the
// latest time that an owner has signed. A clock that was set back revives
// nothing that an owner's signature shows to be over.
func (t *Trust) Now() time.Time {
	local, latest := t.options.Now(), t.latest.Load()
	if local.Unix() < latest {
		return time.Unix(latest, 0)
	}
	return local
}

// ClockBelievable reports whether the local clock can be right: it is past the
// start of 2026, and not more than a day behind what owners have signed. Owners
// are let in by any clock.
func (t *Trust) ClockBelievable() bool {
	local := t.options.Now()
	return local.Unix() >= firstBelievable && t.latest.Load()-local.Unix() <= int64(maxBehind/time.Second)
}

// learnTime takes in when an owner has signed something. As long as the local clock
// is believable no more than a day of it beyond that clock: an owner whose clock is
// years ahead must not end everybody's access. Its caller holds mu. If it cannot be
// written down it holds until the restart.
func (t *Trust) learnTime(signed int64) {
	if t.ClockBelievable() {
		signed = min(signed, t.options.Now().Add(maxAhead).Unix())
	}
	if signed > t.latest.Load() {
		t.latest.Store(signed)
	}
	latest := t.latest.Load()
	if latest <= t.written {
		return
	}
	if err := t.store.saveClock(latest); err != nil {
		t.options.Logger.Error("the latest signed time cannot be written down", "error", err)
		return
	}
	t.written = latest
}

// signedTime returns when an owner has signed the beginning of a grant's chain,
// 0 if none has.
func (s *state) signedTime(o origin) int64 {
	if s.mayMakeOwners(o.issuer) {
		return o.issued
	}
	return 0
}

// latestList returns the latest time of the lists that count.
func latestList(lists *access.ListState) int64 {
	latest := int64(0)
	if l := lists.List(); l != nil {
		latest = l.Time
	}
	for _, l := range lists.Others() {
		latest = max(latest, l.Time)
	}
	return latest
}
