package disk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

const (
	// syncAtOnce is how many files of a directory are synced at a time: the file
	// system commits them together.
	syncAtOnce = 4
	// syncPatience is how long one directory may hold up the others. A disk that
	// hangs goes on being waited for, by itself.
	syncPatience = 5 * time.Second
	// syncsWaiting is how many syncs of one directory may be under way.
	syncsWaiting = 8
)

// errSlow says that a disk has not answered yet.
var errSlow = errors.New("the disk has not written for seconds what it was given")

// Sync makes everything durable that was appended before: content, then the names
// of new files, then the index. What could not be is reported to its writer.
// The error is of the index, of files, and of disks that hang; those do not hold up
// the others for long.
func (s *Store) Sync(ctx context.Context) error {
	open := make(map[*directory][]*writer)
	s.mu.Lock()
	for _, w := range s.writers {
		open[w.dir] = append(open[w.dir], w)
	}
	s.mu.Unlock()
	ended := make(chan error, len(s.dirs))
	for _, d := range s.dirs {
		if d.waiting.Add(1) > syncsWaiting {
			d.waiting.Add(-1)
			ended <- fmt.Errorf("%s: %w", d.path, errSlow)
			continue
		}
		s.syncs.Go(func() { ended <- s.syncDirectory(ctx, d, open[d]) })
	}
	patience := time.NewTimer(syncPatience)
	defer patience.Stop()
	var err error
	for range s.dirs {
		select {
		case one := <-ended:
			err = errors.Join(err, one)
		case <-patience.C:
			return errors.Join(err, errSlow)
		}
	}
	return err
}

// syncDirectory syncs the files of one directory, one call after the other.
func (s *Store) syncDirectory(ctx context.Context, d *directory, open []*writer) error {
	d.syncing.Lock()
	defer d.syncing.Unlock()
	defer d.waiting.Add(-1)
	rows, over, err := syncAll(open)
	d.unput = append(d.unput, rows...)
	if len(d.unput) > 0 {
		if putErr := s.opts.Index.Put(context.WithoutCancel(ctx), d.unput...); putErr != nil {
			// The files are safe: the next sync tries again, or the next start finds them.
			err = errors.Join(err, fmt.Errorf("write to the index: %w", putErr))
			s.opts.Logger.Error("the index of recordings cannot be written to", "error", putErr)
			over = nil
		} else {
			d.unput = nil
		}
	}
	changed := s.promiseAll()
	s.mu.Lock()
	for _, w := range over {
		delete(s.writers, w.seg.Ref)
	}
	s.mu.Unlock()
	if changed || len(over) > 0 {
		s.notify()
	}
	return err
}

// syncAll syncs writers, some at a time.
func syncAll(open []*writer) (rows []recordings.Segment, over []*writer, err error) {
	var (
		wg sync.WaitGroup
		mu sync.Mutex
	)
	work := make(chan *writer)
	for range min(syncAtOnce, len(open)) {
		wg.Go(func() {
			for w := range work {
				row, done := w.sync()
				mu.Lock()
				if row != nil {
					rows = append(rows, *row)
				}
				if done {
					over = append(over, w)
				}
				mu.Unlock()
			}
		})
	}
	for _, w := range open {
		work <- w
	}
	close(work)
	wg.Wait()
	for _, w := range over {
		err = errors.Join(err, w.Close())
	}
	return rows, over, err
}

// promiseAll tells what is durable now: of each stream everything up to there, so
// never beyond a segment of which something is not, on whatever disk that lies.
func (s *Store) promiseAll() (changed bool) {
	s.mu.Lock()
	writers := slices.Collect(maps.Values(s.writers))
	s.mu.Unlock()
	now := make(map[recordings.Stream]promise)
	held := make(map[recordings.Stream]promise) // not beyond
	for _, w := range writers {
		if w.seg.Origin == recordings.Backfill {
			continue
		}
		until, begun, complete := w.promised()
		p := promise{w.seg.Generation, until}
		if was, ok := now[w.seg.Stream]; begun && (!ok || p.after(was)) {
			now[w.seg.Stream] = p
		}
		if was, ok := held[w.seg.Stream]; !complete && (!ok || was.after(p)) {
			held[w.seg.Stream] = p
		}
	}
	for stream, p := range now {
		if limit, ok := held[stream]; ok && p.after(limit) {
			p = limit
		}
		s.mu.Lock()
		news := p.until > 0 && p.after(s.durable[stream])
		if news {
			s.durable[stream] = p
		}
		s.mu.Unlock()
		if news {
			s.opts.OnDurable(stream, p.until)
			changed = true
		}
	}
	return changed
}

// after reports whether a promise goes beyond another.
func (p promise) after(o promise) bool {
	return p.generation > o.generation || p.generation == o.generation && p.until > o.until
}

// Durable returns up to when a stream is safe from a power cut; 0 if nothing was
// recorded since the store was opened.
func (s *Store) Durable(stream recordings.Stream) recordings.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.durable[stream].until
}
