package retention

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

const (
	// lockedPage is how many segments are read at a time where locked bytes are
	// summed up, and lockedPages how many times in a pass.
	lockedPage, lockedPages = 256, 16
	// longest is more than a segment lasts.
	longest = 24 * time.Hour
)

// lockedSums are how many bytes of cameras are locked. They are summed up a little in
// each pass, anew when locks change and every ten minutes. Owned by Keeper.Run.
type lockedSums struct {
	store   Store
	cameras map[string]*lockedSum
}

// lockedSum is that of a camera.
type lockedSum struct {
	locks []recordings.Range // by their beginnings
	since time.Time
	bytes int64
	known bool // bytes is all of it
	// counted is what there is so far of the next sum: all streams but todo, the
	// first of which up to after.
	counted int64
	todo    []recordings.Stream
	after   recordings.Time
}

func newLockedSums(s Store) lockedSums {
	return lockedSums{store: s, cameras: make(map[string]*lockedSum)}
}

// of returns how many bytes of a camera are locked; known is false until they are
// summed up.
func (l *lockedSums) of(ctx context.Context, camera string, streams []recordings.StreamInfo, now time.Time) (bytes int64, known bool, err error) {
	list, err := l.store.Locks(ctx, camera, always())
	if err != nil {
		return 0, false, err
	}
	locks := make([]recordings.Range, 0, len(list))
	for _, one := range list {
		locks = append(locks, one.Range)
	}
	slices.SortFunc(locks, func(a, b recordings.Range) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	if len(locks) == 0 {
		delete(l.cameras, camera)
		return 0, true, nil
	}
	sum := l.cameras[camera]
	if sum == nil || !slices.Equal(sum.locks, locks) {
		sum = &lockedSum{locks: locks}
		l.cameras[camera] = sum
	}
	if sum.since.IsZero() || len(sum.todo) == 0 && now.Sub(sum.since) >= rescan {
		sum.begin(camera, streams, now)
	}
	for range lockedPages {
		if len(sum.todo) == 0 {
			break
		}
		if err := sum.page(ctx, l.store); err != nil {
			return 0, false, err
		}
	}
	if len(sum.todo) == 0 {
		sum.bytes, sum.known = sum.counted, true
	}
	return sum.bytes, sum.known, nil
}

// begin begins to sum up.
func (s *lockedSum) begin(camera string, streams []recordings.StreamInfo, now time.Time) {
	s.since, s.counted, s.todo, s.after = now, 0, nil, s.locks[0].From.Add(-longest)
	for _, info := range streams {
		if info.Camera == camera {
			s.todo = append(s.todo, info.Stream)
		}
	}
}

// page adds the next segments.
func (s *lockedSum) page(ctx context.Context, store Store) error {
	list, err := store.Oldest(ctx, s.todo[0], s.after, lockedPage)
	if err != nil {
		return err
	}
	for _, seg := range list {
		s.after = seg.Start
		if touches(s.locks, recordings.Range{From: seg.Start, To: max(seg.End, seg.Start+1)}, 0, 0) {
			s.counted += seg.Bytes
		}
	}
	next := slices.IndexFunc(s.locks, func(r recordings.Range) bool { return r.To > s.after })
	if next < 0 || len(list) < lockedPage {
		s.todo, s.after = s.todo[1:], s.locks[0].From.Add(-longest)
		return nil
	}
	s.after = max(s.after, s.locks[next].From.Add(-longest))
	return nil
}
