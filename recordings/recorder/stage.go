package recorder

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// pace is how often a recorder looks at the hubs, and how often frames are written,
// such that none is older than Options.SyncEvery then.
type pace struct {
	tick  time.Duration // between two looks
	turns int           // frames are written at every such look
	hold  time.Duration // how old a frame may be that waits for the next turn
}

// paceOf returns the pace at which frames are written within every.
func paceOf(every time.Duration) pace {
	const longest = 500 * time.Millisecond // the hub keeps about two seconds
	p := pace{hold: min(every/10, 100*time.Millisecond)}
	between := every - p.hold
	p.turns = int((between + longest - 1) / longest)
	p.tick = between / time.Duration(p.turns)
	return p
}

// stage hands on what is pending, but for frames of which nobody knows yet how long
// they are shown.
func (s *stream) stage(now time.Time) {
	n, end := s.order.cut(s.pending, now, s.pace.hold)
	s.early = s.order.back > 0
	if k := s.rotation(n, now); k > 0 {
		n, end, s.early = k, earliest(s.pending[k:]), true
	}
	s.hand(n, end)
}

// rotation returns where the next segment will begin among the first n frames that
// are pending, if there is reason to wait one look longer with what comes from there
// on: sound for the end of this segment is still to come. 0: go ahead.
func (s *stream) rotation(n int, now time.Time) int {
	at := s.rotateAt.Load()
	if at == 0 || s.coding.audio == codecs.Unknown || len(s.waiting) == 0 {
		return 0
	}
	for k := 1; k < n; k++ {
		u := s.pending[k]
		if !u.Key || u.At < at {
			continue
		}
		late := s.waiting[len(s.waiting)-1].At >= u.At || now.Sub(u.Arrived)+s.pace.tick > s.opts.SyncEvery
		if late || fragmentLength(s.pending[:k+1]) != k {
			return 0
		}
		return k
	}
	return 0
}

// flush hands on everything that is pending.
func (s *stream) flush() { s.hand(len(s.pending), 0) }

// flushUntil hands on everything that is pending; what follows is shown from then on.
func (s *stream) flushUntil(next recordings.Time) {
	if len(s.pending) > 0 {
		s.hand(len(s.pending), next)
	}
}

// hand hands on the first n frames that are pending, which are shown before end, and
// all sound; unless the disk is too slow.
func (s *stream) hand(n int, end recordings.Time) {
	if n == 0 {
		return
	}
	j := job{video: s.pending[:n:n], sound: s.waiting, end: end}
	s.pending, s.waiting = append([]*codecs.Unit(nil), s.pending[n:]...), nil
	s.pendingBytes = sizeOf(s.pending)
	if s.slow && !s.recover(&j) {
		return
	}
	j.bytes = sizeOf(j.video) + sizeOf(j.sound)
	if load := s.queue.load(); load > 0 && load+j.bytes > s.opts.QueueBytes {
		s.slow = true
		s.lose(len(j.video))
		s.queue.push(job{cause: recordings.DiskSlow})
		return
	}
	j.tracks, s.announce = s.announce, nil
	s.queue.push(j)
}

func sizeOf(units []*codecs.Unit) (n int64) {
	for _, u := range units {
		n += int64(u.Size())
	}
	return n
}

// recover reports whether the disk has caught up. Then what is left of the job begins
// with a key frame.
func (s *stream) recover(j *job) bool {
	if s.queue.load() <= s.opts.QueueBytes/2 {
		for i, u := range j.video {
			if u.Key {
				s.lose(i)
				j.video = j.video[i:]
				s.slow = false
				return true
			}
		}
	}
	s.lose(len(j.video))
	return false
}
