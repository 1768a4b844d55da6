package remote

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/internal/fragment"
)

// maxList is the longest list that is read, in bytes: an entry has some 300 without
// its head, and a spool puts at most 1 MiB of heads into an answer.
func maxList(heads bool) int64 {
	if heads {
		return 2 << 20
	}
	return 1 << 20
}

// parseList reads a list of what comes after a number, with heads or without.
func parseList(body []byte, after uint64, heads bool) (l fragment.List, err error) {
	if int64(len(body)) > maxList(heads) {
		return l, fmt.Errorf("%w: more than %d bytes", errAnswer, maxList(heads))
	}
	if err := json.Unmarshal(body, &l); err != nil {
		return l, fmt.Errorf("%w: %w", errAnswer, err)
	}
	return l, checkList(&l, after, heads)
}

// checkList refuses a list that a follower could not go by.
func checkList(l *fragment.List, after uint64, heads bool) error {
	most := fragment.MaxEntries
	if heads {
		most = fragment.MaxHeads
	}
	if l.Epoch == "" || len(l.Epoch) > 64 || len(l.Fragments) > most {
		return errAnswer
	}
	for i := range l.Fragments {
		e := &l.Fragments[i]
		if e.Seq <= after || e.Frames <= 0 || e.Frames > fragment.MaxPictures || e.Bytes <= 0 || e.Bytes > maxFragment ||
			e.DurationUs < 0 || e.DurationUs > 1<<40 || e.StartUs < 0 || e.StartUs > 1<<60 {
			return fmt.Errorf("%w: fragment %d", errAnswer, e.Seq)
		}
		if s := e.Sound; s != nil && (s.Frames <= 0 || s.Frames > fragment.MaxSounds || s.Bytes <= 0 || s.Bytes >= e.Bytes) {
			return fmt.Errorf("%w: the sound of fragment %d", errAnswer, e.Seq)
		}
		if !heads && len(e.Head) > 0 || len(e.Head) > fragment.MaxHead || len(e.Head) > e.Bytes {
			return fmt.Errorf("%w: the head of fragment %d", errAnswer, e.Seq)
		}
		switch e.After {
		case fragment.Direct.String(), fragment.Interruption.String(), fragment.Restart.String():
		default:
			return fmt.Errorf("%w: how fragment %d follows", errAnswer, e.Seq)
		}
		after = e.Seq
	}
	return nil
}

// Times that pictures can be of, in microseconds since 1970.
const (
	earliest = int64(946_684_800_000_000)   // 1 January 2000
	unset    = int64(1_577_836_800_000_000) // 1 January 2020: a clock before that has not been set
	distant  = int64(4_102_444_800_000_000) // 1 January 2100
	// ahead is how far ahead of this machine's clock the agent's may be.
	ahead = 24 * time.Hour
	// perPicture and longestGroup bound how long a group of pictures lasts, and aside
	// how far from it a unit in it may be.
	perPicture   = time.Minute
	longestGroup = 24 * time.Hour
	aside        = 10 * time.Minute
)

// possible are the times that pictures can have been captured at, now that it is now.
// While this machine does not know what time it is, nothing is too late.
func possible(now time.Time) (from, to int64) {
	if now.UnixMicro() < unset {
		return earliest, distant
	}
	return earliest, now.Add(ahead).UnixMicro()
}

// canBe reports whether an entry is of a time that can be.
func canBe(now time.Time, e *fragment.Entry) bool {
	from, to := possible(now)
	return e.StartUs >= from && e.EndUs() <= to &&
		e.DurationUs <= min(time.Duration(e.Frames)*perPicture, longestGroup).Microseconds()
}

// headCanBe reports whether the units of a fragment are of the time that its entry
// says.
func headCanBe(now time.Time, h *fragment.Head, e *fragment.Entry) bool {
	from, to := possible(now)
	first, last := h.Span()
	return first >= max(from, e.StartUs-aside.Microseconds()) && last <= min(to, e.EndUs()+aside.Microseconds()) && h.Even(aside)
}

// believable returns the entries whose times can be, without changing the list, and
// one whose time cannot.
func believable(now time.Time, entries []fragment.Entry) (out []fragment.Entry, odd *fragment.Entry) {
	out = make([]fragment.Entry, 0, len(entries))
	for i := range entries {
		if !canBe(now, &entries[i]) {
			odd = &entries[i]
			continue
		}
		out = append(out, entries[i])
	}
	return out, odd
}
