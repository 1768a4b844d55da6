package remote

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/internal/fragment"
	"github.com/sightline-cam/sightline/recordings"
)

// joined is what an agent has at the beginning of a session.
type joined struct {
	epoch   string
	entries []fragment.Entry // all, in order
	missing []fragment.Entry // those that are not recorded
	last    uint64           // number of the last one listed
	odd     bool             // some of them were of times that cannot be, and left out
}

const (
	// maxEntries bounds what is listed of one stream; what is older is not fetched.
	maxEntries = 64 << 10
	// maxRounds is in how many answers a list has to end: twice as many as a spool's
	// longest takes, since an answer may have less than fits. joinTime is how long
	// that may take.
	maxRounds = 128
	joinTime  = 5 * time.Minute
)

// window is how many entries are compared with the store at once: fewer key frames
// than it returns, as a rule. windowTime is how far they may be apart.
const (
	window     = 1000
	windowTime = 6 * time.Hour
)

// join lists all that the agent has and compares it with the store. What ends before
// first is left out.
func join(ctx context.Context, client *api, store Store, name recordings.Stream, first recordings.Time) (joined, error) {
	var j joined
	if err := j.list(ctx, client); err != nil {
		return j, err
	}
	var odd *fragment.Entry
	if j.entries, odd = believable(time.Now(), j.entries); odd != nil {
		j.odd = true
	}
	return j, j.compare(ctx, store, name, first)
}

// list takes the agent's list.
func (j *joined) list(ctx context.Context, client *api) error {
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	after := uint64(0)
	for range maxRounds {
		l, err := client.list(ctx, after, false)
		if err != nil {
			return err
		}
		if j.epoch != "" && l.Epoch != j.epoch {
			return fmt.Errorf("%w: the agent was started anew meanwhile", errAnswer)
		}
		j.epoch = l.Epoch
		j.entries = append(j.entries, l.Fragments...)
		if over := len(j.entries) - maxEntries; over > 0 {
			j.entries = slices.Delete(j.entries, 0, over)
		}
		if len(l.Fragments) > 0 {
			after = l.Fragments[len(l.Fragments)-1].Seq
			j.last = after
		}
		if !l.More || len(l.Fragments) == 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: its list does not end", errAnswer)
}

// compare notes what of the list is not recorded.
func (j *joined) compare(ctx context.Context, store Store, name recordings.Stream, first recordings.Time) error {
	for rest := j.entries; len(rest) > 0; {
		n, r := together(rest)
		part := rest[:n]
		rest = rest[n:]
		recorded, err := recordedIn(ctx, store, name, r)
		if err != nil {
			return fmt.Errorf("look what is recorded: %w", err)
		}
		for _, e := range part {
			if _, ok := recorded[recordings.Time(e.StartUs)]; !ok && recordings.Time(e.EndUs()) > first {
				j.missing = append(j.missing, e)
			}
		}
	}
	return nil
}

// together returns how many of the entries, from the first on, are compared with the
// store at once, and the range of time in which they begin: not all of its history,
// whatever an agent lists.
func together(entries []fragment.Entry) (n int, r recordings.Range) {
	r = recordings.Range{From: recordings.Time(entries[0].StartUs), To: recordings.Time(entries[0].StartUs) + 1}
	for n = 1; n < min(len(entries), window); n++ {
		at := recordings.Time(entries[n].StartUs)
		wider := recordings.Range{From: min(r.From, at), To: max(r.To, at+1)}
		if wider.Duration() > windowTime {
			break
		}
		r = wider
	}
	return n, r
}

// recordedIn returns the times of all key frames in a range.
func recordedIn(ctx context.Context, store Store, name recordings.Stream, r recordings.Range) (map[recordings.Time]struct{}, error) {
	const most = 10_000
	times, err := store.KeyFrames(ctx, name, r, most)
	if err != nil {
		return nil, err
	}
	out := make(map[recordings.Time]struct{}, len(times))
	if len(times) < most || r.Duration() < 2 {
		for _, t := range times {
			out[t] = struct{}{}
		}
		return out, nil
	}
	// There are more than that, and some were left out.
	middle := r.From + (r.To-r.From)/2
	for _, half := range []recordings.Range{{From: r.From, To: middle}, {From: middle, To: r.To}} {
		part, err := recordedIn(ctx, store, name, half)
		if err != nil {
			return nil, err
		}
		for t := range part {
			out[t] = struct{}{}
		}
	}
	return out, nil
}

// join takes what the agent has. What follows what is recorded, and is little, is
// fetched before live recording goes on; the rest is left to the background.
func (s *stream) join(ctx context.Context, j joined) {
	if j.odd {
		s.tellOdd()
	}
	s.replaceSalvaged(ctx, j.epoch, j.entries)
	s.mode, s.joined, s.epoch = verified, true, j.epoch
	s.fillable.Store(true)
	end := int64(s.tape.End())
	first, bytes := len(j.missing), int64(0)
	for first > 0 && j.missing[first-1].StartUs >= end-near && bytes < s.o.CatchUpBytes {
		first--
		bytes += int64(j.missing[first].Bytes)
	}
	if bytes > s.o.CatchUpBytes || first > 0 && j.missing[first-1].StartUs >= end-near {
		first = len(j.missing) // all of it is for the background
	}
	s.holes.set(s.wanted(ctx, j.missing[:first]))
	f := s.follower
	f.old = j.last
	switch {
	case first < len(j.missing):
		f.cursor = j.missing[first].Seq - 1
		f.end = max(f.end, end)
	case len(j.entries) > 0:
		last := j.entries[len(j.entries)-1]
		f.cursor = j.last
		if last.EndUs() > end {
			s.cut(recordings.AgentUnreachable)
		}
		f.end = max(end, last.EndUs())
	default:
		f.cursor = j.last
	}
}

// wanted returns those that are to be recorded.
func (s *stream) wanted(ctx context.Context, entries []fragment.Entry) []fragment.Entry {
	if len(entries) == 0 {
		return nil
	}
	all := rangeOf(entries[0])
	for _, e := range entries {
		r := rangeOf(e)
		all.From, all.To = min(all.From, r.From), max(all.To, r.To)
	}
	v := s.gate.ask(ctx, all)
	out := make([]fragment.Entry, 0, len(entries))
	for _, e := range entries {
		switch c := v.cause(rangeOf(e)); {
		case c == "":
			out = append(out, e)
		case later(c):
			s.refused = append(s.refused, e)
		}
	}
	if over := len(s.refused) - maxRefused; over > 0 {
		s.refused = s.refused[over:]
	}
	return out
}
