package retention

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
)

// reporter says what happens, and nothing twice.
type reporter struct {
	log       *slog.Logger
	error     string
	short     string // ids of the disks on which it was said that room is short
	emergency bool
	told      time.Time
	segments  int
	bytes     int64
}

func newReporter(log *slog.Logger) reporter { return reporter{log: log} }

// failed says that a pass did not succeed, unless it has just said so.
func (r *reporter) failed(err error) {
	if text := err.Error(); text != r.error {
		r.error = text
		r.log.Error("old recordings cannot be deleted; the disk may get full", "error", err)
	}
}

// report notes what a pass found. again says that there is more to do.
func (k *Keeper) report(cameras map[string]Camera, disks []Disk, plan Plan, emergency, again bool, now time.Time) {
	reason := reasonOf(disks, plan, emergency, again)
	if locked := lockedReason(cameras); locked != "" {
		reason = strings.TrimSpace(reason + " " + locked)
	}
	k.mu.Lock()
	k.status.Emergency, k.status.Reason = emergency, reason
	k.mu.Unlock()

	r := &k.log
	r.error = ""
	for _, d := range plan.Delete {
		r.segments++
		r.bytes += d.Bytes
	}
	if r.segments > 0 && (now.Sub(r.told) >= tell) {
		r.log.Info("old recordings were deleted", "segments", r.segments, "bytes", r.bytes)
		r.told, r.segments, r.bytes = now, 0, 0
	}
	switch {
	case emergency && !r.emergency:
		r.log.Error("a disk for recordings is almost full: the oldest recordings are deleted as fast as possible", "reason", reason)
	case !emergency && r.emergency:
		r.log.Info("there is room for recordings again")
	}
	short := ""
	for _, d := range disks {
		if !again && shortOf(plan, d) {
			short += d.ID + " "
		}
	}
	if short != "" && short != r.short {
		r.log.Error("there is not enough room for recordings", "reason", reason)
	}
	if !again {
		r.short = short
	}
	r.emergency = emergency
}

// reasonOf says in a sentence what is wrong; empty if nothing is.
func reasonOf(disks []Disk, plan Plan, emergency, again bool) string {
	var parts []string
	for _, d := range disks {
		switch {
		case !again && shortOf(plan, d):
			parts = append(parts, fmt.Sprintf("%s has only %s free, and what is recorded there is locked, or not from this recorder. "+
				"Make room of other files, or unlock clips; recording stops when it is full.", d.Path, sizeText(d.Free)))
		case d.full():
			parts = append(parts, fmt.Sprintf("%s has only %s free: something else fills it faster than the oldest recordings are deleted. "+
				"Find out what, and stop it.", d.Path, sizeText(d.Free)))
		}
	}
	if len(parts) == 0 && emergency {
		return "A disk for recordings was almost full a moment ago: something else fills it. The oldest recordings are deleted to make room."
	}
	return strings.Join(parts, " ")
}

// lockedReason says of which cameras more is locked than they may have.
func lockedReason(cameras map[string]Camera) string {
	var parts []string
	for _, id := range slices.Sorted(maps.Keys(cameras)) {
		if c := cameras[id]; c.MaxBytes > 0 && c.Locked > c.MaxBytes && !c.counting {
			parts = append(parts, fmt.Sprintf("The locked clips of camera %s take %s, more than its limit of %s. They are kept beside what else is recorded; unlock some to save room.",
				id, sizeText(c.Locked), sizeText(c.MaxBytes)))
		}
	}
	return strings.Join(parts, " ")
}

func shortOf(plan Plan, d Disk) bool {
	for _, s := range plan.Short {
		if s.ID == d.ID {
			return true
		}
	}
	return false
}

// sizeText writes a number of bytes for people.
func sizeText(n int64) string {
	switch {
	case n >= 10_000_000_000:
		return fmt.Sprintf("%d GB", n/1_000_000_000)
	case n >= 1_000_000_000:
		return fmt.Sprintf("%d.%d GB", n/1_000_000_000, n/100_000_000%10)
	}
	return fmt.Sprintf("%d MB", max(n, 0)/1_000_000)
}
