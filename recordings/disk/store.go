package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// Store keeps recordings. Open makes one; Run, or the caller, syncs it. Safe for
// concurrent use.
type Store struct {
	// Constant after Open.
	opts Options
	dirs []*directory

	journal *journal

	syncs sync.WaitGroup // syncs under way

	// begun are the segments that another process is writing, as they were when the
	// store was opened for reading.
	begun []recordings.Segment

	crashed map[recordings.Stream]bool // streams with a segment that nobody had closed; constant after Open

	mu       sync.Mutex // guards what follows
	writers  map[recordings.Ref]*writer
	durable  map[recordings.Stream]promise
	pauses   map[string]recordings.Pause // by camera: those that have not ended
	watchers map[chan struct{}]struct{}
	closed   bool
	troubled bool // a disk failed: who knows what is there; the next start looks
}

// promise is up to when a stream is safe from a power cut.
type promise struct {
	generation int
	until      recordings.Time
}

// Open looks at the directories, mends what a crash left, and returns the store.
// A directory that cannot be used is no error, it is looked at again later: others
// may do, and the cameras must go on.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	s := &Store{
		opts: o, writers: make(map[recordings.Ref]*writer), durable: make(map[recordings.Stream]promise),
		pauses: make(map[string]recordings.Pause), watchers: make(map[chan struct{}]struct{}),
		journal: &journal{fs: o.FS}, crashed: make(map[recordings.Stream]bool),
	}
	seen := make(map[string]bool)
	for _, dir := range o.Dirs {
		path, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("directory %q: %w", dir, err)
		}
		if seen[path] {
			return nil, fmt.Errorf("the directory %s is named twice", path)
		}
		seen[path] = true
		s.dirs = append(s.dirs, &directory{path: path, fs: o.FS, log: o.Logger})
	}
	if o.ReadOnly {
		return s, s.lookOnly(ctx)
	}
	for _, d := range s.dirs {
		_ = s.attach(ctx, d, time.Now()) // it has logged why
	}
	if err := s.recover(ctx); err != nil {
		return nil, err
	}
	return s, s.loadPauses(ctx)
}

// Run syncs every Options.SyncEvery, looks after the directories, and closes the
// store when ctx ends. The error is Close's.
func (s *Store) Run(ctx context.Context) error {
	every := s.opts.ProbeEvery
	if s.opts.SyncEvery > 0 {
		every = min(every, s.opts.SyncEvery)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.lookAfter(ctx)
			if s.opts.SyncEvery > 0 {
				_ = s.Sync(ctx) // it has logged why, and the writers know
			}
		case <-ctx.Done():
			return s.Close(context.WithoutCancel(ctx))
		}
	}
}

// attach finds out whether a directory can be used, and is none of the others under
// another name.
func (s *Store) attach(ctx context.Context, d *directory, now time.Time) error {
	if err := d.attach(ctx, s.opts.Index, now); err != nil {
		return err
	}
	for _, o := range s.dirs {
		if _, problem := o.room(); o != d && problem == nil && o.name() == d.name() {
			err := fmt.Errorf("%s is %s under another name, or a copy of it; name one of the two", d.path, o.path)
			d.fail(err, now)
			return err
		}
	}
	return nil
}

// lookAfter tries directories again that could not be used.
func (s *Store) lookAfter(ctx context.Context) {
	now := time.Now()
	for _, d := range s.dirs {
		if d.due(now, s.opts.ProbeEvery) && s.attach(ctx, d, now) == nil && d.unmended {
			s.mendDirectory(ctx, d)
		}
	}
}

// Close ends all segments, syncs, and says in the index that nothing needs mending.
// Idempotent.
func (s *Store) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	if s.opts.ReadOnly {
		s.mu.Unlock()
		return nil
	}
	open := make([]*writer, 0, len(s.writers))
	for _, w := range s.writers {
		open = append(open, w)
	}
	s.mu.Unlock()
	for _, w := range open {
		_ = w.Close()
	}
	err := s.Sync(ctx)
	if !s.settled() {
		err = errors.Join(err, errSlow)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	troubled := s.troubled
	s.mu.Unlock()
	if troubled {
		return nil
	}
	return s.opts.Index.SetClean(ctx, true)
}

// settled waits for the syncs under way, though not for ever: a disk that hangs must
// not keep the process from ending.
func (s *Store) settled() bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.syncs.Wait()
	}()
	timer := time.NewTimer(syncPatience)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// Create begins a segment in the usable directory with the most room. Of seg it
// uses Ref, Format, Origin, Before, Gaps and ClockOffset; init is what stands before
// the first fragment. The writer's fragments must follow each other.
//
// Errors: ErrNoDisk, ErrFull, ErrFailed, fs.ErrExist if there is such a segment.
func (s *Store) Create(ctx context.Context, seg recordings.Segment, init []byte) (recordings.Writer, error) {
	if s.opts.ReadOnly {
		return nil, ErrReadOnly
	}
	if err := checkStream(seg.Stream); err != nil {
		return nil, fmt.Errorf("begin a segment: %w", err)
	}
	d, err := s.choose()
	if err != nil {
		return nil, err
	}
	if err := d.present(); err != nil {
		d.fail(err, time.Now())
		return nil, errors.Join(ErrFailed, err)
	}
	seg.Dir, seg.Path = d.name(), pathOf(seg.Ref)
	seg.InitBytes, seg.Bytes, seg.End, seg.Open, seg.Fragments = int64(len(init)), int64(len(init)), seg.Start, true, nil
	w := &writer{store: s, dir: d, path: filepath.Join(d.path, filepath.FromSlash(seg.Path)), seg: seg}
	if err := w.create(init); err != nil {
		return nil, s.blame(d, fmt.Errorf("begin %s: %w", seg.Path, err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(ErrClosed, w.abandon())
	}
	s.writers[seg.Ref] = w
	return w, nil
}

// choose returns the usable directory with the most room.
func (s *Store) choose() (*directory, error) {
	var best *directory
	most, full := int64(-1), false
	var problems error
	for _, d := range s.dirs {
		free, err := d.room()
		floor := d.floor(s.opts.MinFree)
		if err == nil && free < floor {
			d.measure() // somebody may have made room
			free, _ = d.room()
		}
		switch {
		case err != nil:
			problems = errors.Join(problems, err)
		case free < floor:
			full = true
		case free > most:
			best, most = d, free
		}
	}
	switch {
	case best != nil:
		return best, nil
	case full:
		return nil, ErrFull
	}
	return nil, errors.Join(ErrNoDisk, problems)
}

// blame tells a full disk from a broken one, and takes that out of use.
func (s *Store) blame(d *directory, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		d.full()
		return errors.Join(ErrFull, err)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	s.trouble()
	d.fail(err, time.Now())
	return errors.Join(ErrFailed, err)
}

// trouble makes the next start look at everything.
func (s *Store) trouble() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.troubled = true
}

// Changed signals on a channel of capacity 1, at most once a sync, that something
// was recorded, happened, or was paused. stop releases it.
func (s *Store) Changed() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[c] = struct{}{}
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, c)
	}
}

func (s *Store) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// folderOf finds a directory by its id.
func (s *Store) folderOf(id string) (*directory, error) {
	for _, d := range s.dirs {
		if d.name() == id {
			return d, nil
		}
	}
	return nil, fmt.Errorf("the directory %s with this recording is not among those in use: %w", id, os.ErrNotExist)
}
