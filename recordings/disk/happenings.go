package disk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/index"
)

// note writes an entry into the journal of the first directory that takes it, then
// into the index.
func (s *Store) note(ctx context.Context, e entry) error {
	if s.opts.ReadOnly {
		return ErrReadOnly
	}
	problems := error(ErrNoDisk)
	for _, d := range s.dirs {
		if _, err := d.room(); err != nil {
			problems = errors.Join(problems, err)
			continue
		}
		err := s.journal.add(d.path, e)
		if err != nil {
			problems = errors.Join(problems, s.blame(d, err))
			continue
		}
		if err := apply(ctx, s.opts.Index, e); err != nil {
			return err
		}
		s.notify()
		return nil
	}
	return fmt.Errorf("write down what happened: %w", problems)
}

// apply does in the index what an entry says.
func apply(ctx context.Context, ix *index.Index, e entry) error {
	switch {
	case e.Event != nil:
		return ix.PutEvent(ctx, *e.Event)
	case e.Lock != nil:
		return ix.PutLock(ctx, *e.Lock)
	case e.Unlock != "":
		err := ix.DeleteLock(ctx, e.Unlock)
		if errors.Is(err, index.ErrNotFound) {
			return nil
		}
		return err
	case e.Pause != nil:
		return ix.PutPause(ctx, *e.Pause)
	case e.Forget != nil:
		_, err := ix.DeleteEventsBefore(ctx, e.Forget.Camera, e.Forget.Before)
		return err
	}
	return nil
}

// AddEvent writes down that something happened, durably. One without an id gets
// one; with the id of an earlier one it replaces that.
func (s *Store) AddEvent(ctx context.Context, e recordings.Event) (recordings.Event, error) {
	if e.ID == "" {
		e.ID = rand.Text()
	}
	return e, s.note(ctx, entry{Event: &e})
}

// Events returns events; see index.Events.
func (s *Store) Events(ctx context.Context, camera string, r recordings.Range, limit int) ([]recordings.Event, error) {
	return s.opts.Index.Events(ctx, camera, r, limit)
}

// DeleteEventsBefore forgets a camera's events that ended before.
func (s *Store) DeleteEventsBefore(ctx context.Context, camera string, before recordings.Time) error {
	old, err := s.opts.Index.Events(ctx, camera, recordings.Range{From: minTime, To: before}, 1)
	if err != nil || len(old) == 0 || max(old[0].To, old[0].From) >= before {
		return err
	}
	return s.note(ctx, entry{Forget: &forget{camera, before}})
}

// AddLock keeps a time of a camera from being deleted.
func (s *Store) AddLock(ctx context.Context, l recordings.Lock) (recordings.Lock, error) {
	if l.ID == "" {
		l.ID = rand.Text()
	}
	return l, s.note(ctx, entry{Lock: &l})
}

// RemoveLock lets it be deleted again. index.ErrNotFound if there is no such lock
// on that camera.
func (s *Store) RemoveLock(ctx context.Context, camera, id string) error {
	locks, err := s.opts.Index.Locks(ctx, camera, recordings.Range{From: minTime, To: -minTime})
	if err != nil {
		return err
	}
	for _, l := range locks {
		if l.ID == id && l.Camera == camera {
			return s.note(ctx, entry{Unlock: id})
		}
	}
	return index.ErrNotFound
}

// Locks returns locks; see index.Locks.
func (s *Store) Locks(ctx context.Context, camera string, r recordings.Range) ([]recordings.Lock, error) {
	return s.opts.Index.Locks(ctx, camera, r)
}

// Pause keeps a camera from being recorded from now on, or p.From if that is later
// than the last one, until p.To, or until Resume if it is 0. It replaces a pause that
// has not ended.
func (s *Store) Pause(ctx context.Context, p recordings.Pause) error {
	if now, paused := s.Paused(p.Camera); paused {
		p.From = now.From
	} else if p.From == 0 {
		p.From = recordings.TimeOf(time.Now())
	}
	if err := s.note(ctx, entry{Pause: &p}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pauses[p.Camera] = p
	return nil
}

// Resume ends a pause now. It is no error if there is none.
func (s *Store) Resume(ctx context.Context, camera string) error {
	p, paused := s.Paused(camera)
	if !paused {
		return nil
	}
	p.To = max(recordings.TimeOf(time.Now()), p.From+1)
	if err := s.note(ctx, entry{Pause: &p}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pauses, camera)
	return nil
}

// Paused returns the pause that a camera is in.
func (s *Store) Paused(camera string) (recordings.Pause, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pauses[camera]
	if ok && p.To != 0 && p.To <= recordings.TimeOf(time.Now()) {
		delete(s.pauses, camera)
		return recordings.Pause{}, false
	}
	return p, ok
}

// Pauses returns pauses; see index.Pauses.
func (s *Store) Pauses(ctx context.Context, camera string, r recordings.Range) ([]recordings.Pause, error) {
	return s.opts.Index.Pauses(ctx, camera, r)
}

// loadPauses remembers the pauses that have not ended.
func (s *Store) loadPauses(ctx context.Context) error {
	now := recordings.TimeOf(time.Now())
	open, err := s.opts.Index.Pauses(ctx, "", recordings.Range{From: now, To: -minTime})
	if err != nil {
		return err
	}
	for _, p := range open {
		if p.To == 0 || p.To > now {
			s.pauses[p.Camera] = p
		}
	}
	return nil
}
