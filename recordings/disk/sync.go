package disk

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/sightline-cam/sightline/recordings"
)

// syncAtOnce is how many files are synced at a time: the file system commits them
// together.
const syncAtOnce = 4

// Sync makes everything durable that was appended before: content, then the names
// of new files, then the index. What could not be is reported to its writer.
// The error is of the index, and of files.
func (s *Store) Sync(ctx context.Context) error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	s.mu.Lock()
	open := make([]*writer, 0, len(s.writers))
	for _, w := range s.writers {
		open = append(open, w)
	}
	s.mu.Unlock()
	rows, over, err := syncAll(open)
	s.unput = append(s.unput, rows...)
	if len(s.unput) > 0 {
		if putErr := s.opts.Index.Put(context.WithoutCancel(ctx), s.unput...); putErr != nil {
			// The files are safe: the next sync tries again, or the next start finds them.
			err = errors.Join(err, fmt.Errorf("write to the index: %w", putErr))
			s.opts.Logger.Error("the index of recordings cannot be written to", "error", putErr)
			over = nil
		} else {
			s.unput = nil
		}
	}
	changed := s.promiseAll(open)
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

// promiseAll tells what is durable now.
func (s *Store) promiseAll(open []*writer) (changed bool) {
	type news struct {
		stream recordings.Stream
		until  recordings.Time
	}
	var told []news
	s.mu.Lock()
	for _, w := range open {
		until, ok := w.promised()
		was, now := s.durable[w.seg.Stream], promise{w.seg.Generation, until}
		if ok && (now.generation > was.generation || now.generation == was.generation && until > was.until) {
			s.durable[w.seg.Stream] = now
			told = append(told, news{w.seg.Stream, until})
		}
	}
	s.mu.Unlock()
	for _, n := range told {
		s.opts.OnDurable(n.stream, n.until)
	}
	return len(told) > 0
}

// Durable returns up to when a stream is safe from a power cut; 0 if nothing was
// recorded since the store was opened.
func (s *Store) Durable(stream recordings.Stream) recordings.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.durable[stream].until
}
