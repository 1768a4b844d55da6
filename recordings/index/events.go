package index

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/sightline-cam/sightline/recordings"
)

var errEvent = errors.New("an event, a lock or a pause needs a camera, and the first two an id; its time is after 1970 and does not end before it begins")

// overlaps selects rows with start and till that overlap the time from ?2 to ?3, or
// begin in it, if they last no time.
const overlaps = `start < ?3 AND (till > ?2 OR start >= ?2)`

// PutEvent inserts or replaces an event by its id.
func (x *Index) PutEvent(ctx context.Context, e recordings.Event) error {
	return x.update(ctx, "put event "+e.ID, relaxed, func(t *update) error {
		if e.ID == "" || e.Camera == "" || !validRange(e.Range) {
			return errEvent
		}
		return t.exec(`INSERT OR REPLACE INTO events (camera, start, id, till, type, text) VALUES (?, ?, ?, ?, ?, ?)`,
			e.Camera, int64(e.From), e.ID, int64(e.To), e.Type, e.Text)
	})
}

// Events returns events of the camera that overlap r (or begin in it, if they last
// no time), by start: the newest limit of them, or all if it is 0.
func (x *Index) Events(ctx context.Context, camera string, r recordings.Range, limit int) (events []recordings.Event, err error) {
	if limit <= 0 {
		limit = math.MaxInt
	}
	err = x.view(ctx, "list events of "+camera, func(v *view) error {
		return v.each(`SELECT id, start, till, type, text FROM events WHERE camera = ?1 AND `+overlaps+` ORDER BY start DESC, id DESC LIMIT ?4`,
			[]any{camera, int64(r.From), int64(r.To), limit}, func(scan scan) error {
				e := recordings.Event{Camera: camera}
				err := scan(&e.ID, &e.From, &e.To, &e.Type, &e.Text)
				events = append(events, e)
				return err
			})
	})
	slices.Reverse(events)
	return events, err
}

// DeleteEventsBefore deletes the camera's events that ended before the time, and
// says how many.
func (x *Index) DeleteEventsBefore(ctx context.Context, camera string, before recordings.Time) (deleted int64, err error) {
	err = x.update(ctx, "delete events of "+camera, relaxed, func(t *update) error {
		deleted, err = t.affected(`DELETE FROM events WHERE camera = ?1 AND start < ?2 AND till < ?2`, camera, int64(before))
		return err
	})
	return deleted, err
}

// PutLock inserts or replaces a lock by its id.
func (x *Index) PutLock(ctx context.Context, l recordings.Lock) error {
	return x.update(ctx, "put lock "+l.ID, relaxed, func(t *update) error {
		if l.ID == "" || l.Camera == "" || !validRange(l.Range) {
			return errEvent
		}
		return t.exec(`INSERT OR REPLACE INTO locks (id, camera, start, till, name) VALUES (?, ?, ?, ?, ?)`,
			l.ID, l.Camera, int64(l.From), int64(l.To), l.Name)
	})
}

// DeleteLock deletes a lock, or returns ErrNotFound.
func (x *Index) DeleteLock(ctx context.Context, id string) error {
	return x.update(ctx, "delete lock "+id, relaxed, func(t *update) error {
		deleted, err := t.affected(`DELETE FROM locks WHERE id = ?`, id)
		if err == nil && deleted == 0 {
			err = ErrNotFound
		}
		return err
	})
}

// Locks returns the locks of the camera that overlap r, by start; of all cameras
// if it is empty.
func (x *Index) Locks(ctx context.Context, camera string, r recordings.Range) (locks []recordings.Lock, err error) {
	err = x.view(ctx, "list locks of "+camera, func(v *view) error {
		return v.each(`SELECT id, camera, start, till, name FROM locks WHERE (?1 = '' OR camera = ?1) AND `+overlaps+` ORDER BY start, id`,
			[]any{camera, int64(r.From), int64(r.To)}, func(scan scan) error {
				var l recordings.Lock
				err := scan(&l.ID, &l.Camera, &l.From, &l.To, &l.Name)
				locks = append(locks, l)
				return err
			})
	})
	return locks, err
}

// PutPause inserts or replaces a pause by its camera and From.
func (x *Index) PutPause(ctx context.Context, p recordings.Pause) error {
	return x.update(ctx, "put pause of "+p.Camera, relaxed, func(t *update) error {
		if p.Camera == "" || p.To == 0 && p.From < 0 || p.To != 0 && !validRange(p.Range) {
			return errEvent
		}
		return t.exec(`INSERT OR REPLACE INTO pauses (camera, start, till, who) VALUES (?, ?, ?, ?)`,
			p.Camera, int64(p.From), int64(p.To), p.By)
	})
}

// Pauses returns the pauses of the camera that overlap r, by start; of all cameras
// if it is empty. One without an end (To is 0) overlaps everything after From.
func (x *Index) Pauses(ctx context.Context, camera string, r recordings.Range) (pauses []recordings.Pause, err error) {
	err = x.view(ctx, "list pauses of "+camera, func(v *view) error {
		return v.each(`SELECT camera, start, till, who FROM pauses WHERE (?1 = '' OR camera = ?1)
			AND start < ?3 AND (till = 0 OR till > ?2 OR start >= ?2) ORDER BY start, camera`,
			[]any{camera, int64(r.From), int64(r.To)}, func(scan scan) error {
				var p recordings.Pause
				err := scan(&p.Camera, &p.From, &p.To, &p.By)
				pauses = append(pauses, p)
				return err
			})
	})
	return pauses, err
}

// affected returns how many rows the statement changed.
func (t *update) affected(query string, args ...any) (int64, error) {
	result, err := t.do(query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func validRange(r recordings.Range) bool { return r.From >= 0 && r.From <= r.To && r.To <= maxTime }
