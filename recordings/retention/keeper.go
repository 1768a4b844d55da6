package retention

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// Store is what a Keeper looks after. *disk.Store is one.
type Store interface {
	Streams(ctx context.Context) ([]recordings.StreamInfo, error)
	// Oldest returns finished segments that start after the given time, by start,
	// all generations together, at most limit and those that start with the last.
	Oldest(ctx context.Context, s recordings.Stream, after recordings.Time, limit int) ([]recordings.Segment, error)
	Disks(ctx context.Context) ([]recordings.Disk, error)
	Events(ctx context.Context, camera string, r recordings.Range, limit int) ([]recordings.Event, error)
	Locks(ctx context.Context, camera string, r recordings.Range) ([]recordings.Lock, error)
	Delete(ctx context.Context, refs ...recordings.Ref) error
	DeleteEventsBefore(ctx context.Context, camera string, before recordings.Time) error
}

// Options configure a Keeper. Store is required.
type Options struct {
	Store Store
	// Rules returns those of a camera. It is called often and must not block.
	// Default: no limits.
	Rules func(camera string) Rules
	// MinFree is how much room is made on each disk, in bytes. Default 5 % of it, at
	// most 20 GB and at least 256 MiB, but never more than a quarter.
	MinFree int64
	// Every is how often the keeper looks. Default 5 s.
	Every time.Duration
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger

	wall func(now time.Time) recordings.Time // what the clock on the wall shows
}

const (
	// batch is how many segments go at a time, and emergencyBatch in an emergency.
	batch, emergencyBatch = 16, 64
	// pause lies between two batches, but not while a disk is almost full. In an
	// emergency, which lasts until no disk was for calm, it is how often the keeper
	// looks.
	pause = time.Second
	calm  = time.Minute
	// emergencyShare is the part of the room to be kept free that is left in an
	// emergency.
	emergencyShare = 4
	// tell is how often it is said that room is being made.
	tell = 10 * time.Minute
	// settle is how long that takes.
	settle = 5 * time.Second
	// forget is how often events without recordings are forgotten, and forgetAfter
	// the least age at which they are.
	forget      = time.Hour
	forgetAfter = 30 * 24 * time.Hour
)

// Keeper deletes what the rules say, in the background.
type Keeper struct {
	// Constant after New.
	opts    Options
	begun   time.Time
	started recordings.Time // what the clock on the wall showed then

	// Owned by Run.
	scanner  scanner
	locked   lockedSums
	clock    clock
	log      reporter
	forgotAt time.Time
	freed    map[string]freed // by directory
	lookedAt time.Time
	fullAt   time.Time // when a disk was almost full last

	mu     sync.Mutex // guards what follows
	status Status
}

// freed is what there must be free on a disk after a batch: some file systems give
// room back a while after files were deleted.
type freed struct {
	at   time.Time
	free int64
}

// Status is how a Keeper stands.
type Status struct {
	// Emergency says that a disk is almost full although recordings are being
	// deleted: something else fills it.
	Emergency bool
	// Reason is a sentence for people about what is wrong; empty if nothing is.
	Reason string
	// Segments and Bytes were deleted since the start, by reason.
	Segments, Bytes map[Reason]uint64
}

// New returns a keeper that does nothing before Run.
func New(o Options) (*Keeper, error) {
	if o.Store == nil {
		return nil, errors.New("make a keeper of recordings: it has no store")
	}
	if o.Rules == nil {
		o.Rules = func(string) Rules { return Rules{} }
	}
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.wall == nil {
		o.wall = recordings.TimeOf
	}
	now := time.Now()
	return &Keeper{
		opts: o, begun: now, started: o.wall(now), scanner: newScanner(o.Store), locked: newLockedSums(o.Store), log: newReporter(o.Logger), freed: map[string]freed{},
		status: Status{Segments: map[Reason]uint64{}, Bytes: map[Reason]uint64{}},
	}, nil
}

// Run looks after the recordings until ctx ends, and returns its error. Call it once.
func (k *Keeper) Run(ctx context.Context) error {
	for {
		wait := k.opts.Every
		switch again, err := k.pass(ctx); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			k.log.failed(err)
		case again && k.fullAt.Equal(k.lookedAt):
			wait = 0
		case again, k.Status().Emergency:
			wait = pause
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// pass looks once, and deletes one batch. again says that there is more to do.
func (k *Keeper) pass(ctx context.Context) (again bool, err error) {
	now := time.Now()
	streams, err := k.opts.Store.Streams(ctx)
	if err != nil {
		return false, err
	}
	disks, full, err := k.disks(ctx, now)
	if err != nil {
		return false, err
	}
	k.lookedAt = now
	if full {
		k.fullAt = now
	}
	emergency := !k.fullAt.IsZero() && now.Sub(k.fullAt) < calm
	s := State{Now: k.opts.wall(now), Started: k.started, Disks: disks, Cameras: k.cameras(streams), Limit: batch}
	if emergency {
		s.Limit = emergencyBatch
	}
	s.Skipped = k.lookAtClock(now, s.Now, streams)
	counting, err := k.subtractLocked(ctx, s.Cameras, streams, now)
	if err != nil {
		return false, err
	}
	k.scanner.begin(now)
	for _, info := range streams {
		for _, q := range questions(&s, info) {
			found, err := k.scanner.scan(ctx, q, s.Cameras)
			if err != nil {
				return false, err
			}
			s.Segments = append(s.Segments, found...)
		}
	}
	s.Segments = unique(s.Segments)
	plan := Make(s)
	if len(plan.Delete) > 0 {
		if err := k.delete(ctx, plan, disks, now); err != nil {
			return false, err
		}
	}
	again = len(plan.Delete) > 0 || k.scanner.moved || counting
	k.report(s.Cameras, disks, plan, emergency, again, now)
	if now.Sub(k.forgotAt) >= forget {
		k.forgotAt = now
		err = k.forgetEvents(ctx, s.Now, streams)
	}
	return again, err
}

func (k *Keeper) delete(ctx context.Context, plan Plan, disks []Disk, now time.Time) error {
	refs := make([]recordings.Ref, 0, len(plan.Delete))
	for _, d := range plan.Delete {
		refs = append(refs, d.Ref)
	}
	if err := k.opts.Store.Delete(ctx, refs...); err != nil {
		return err
	}
	for _, d := range disks {
		f := freed{at: now, free: d.Free}
		for _, gone := range plan.Delete {
			if gone.Dir == d.ID {
				f.free += gone.Bytes
			}
		}
		if f.free > d.Free {
			k.freed[d.ID] = f
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range plan.Delete {
		k.status.Segments[d.Reason]++
		k.status.Bytes[d.Reason] += uint64(max(d.Bytes, 0))
	}
	return nil
}

// disks returns those that can be used, and whether one is almost full.
func (k *Keeper) disks(ctx context.Context, now time.Time) (disks []Disk, full bool, err error) {
	all, err := k.opts.Store.Disks(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, d := range all {
		if !d.Usable || d.Total <= 0 {
			continue
		}
		low := k.opts.MinFree
		if low <= 0 {
			low = minFree(d.Total)
		}
		one := Disk{ID: d.ID, Path: d.Path, Free: d.Free, Low: low, High: low + headroom(low)}
		if one.full() {
			full = true
		} else if f := k.freed[d.ID]; now.Sub(f.at) < settle {
			one.Free = max(d.Free, f.free)
		}
		disks = append(disks, one)
	}
	return disks, full, nil
}

// full reports whether the disk is so full that something else must fill it.
func (d *Disk) full() bool { return d.Free < d.Low/emergencyShare }

// minFree is the default of Options.MinFree.
func minFree(total int64) int64 {
	const share, most, least = 20, 20_000_000_000, 256 << 20
	return min(max(min(total/share, most), least), total/4)
}

// headroom is how much more room is made, so that it lasts for a while.
func headroom(low int64) int64 { return min(max(low/10, 64<<20), 2<<30) }

// cameras returns what is known of those that have recordings.
func (k *Keeper) cameras(streams []recordings.StreamInfo) map[string]Camera {
	cameras := make(map[string]Camera)
	for _, info := range streams {
		c, known := cameras[info.Camera]
		if !known {
			c.Rules = k.opts.Rules(info.Camera)
			c.setDefaults()
		}
		c.Bytes += info.Bytes
		cameras[info.Camera] = c
	}
	return cameras
}

// lookAtClock returns what of the time may not have passed.
func (k *Keeper) lookAtClock(now time.Time, wall recordings.Time, streams []recordings.StreamInfo) []recordings.Range {
	ends := make([]recordings.Time, 0, len(streams))
	for _, info := range streams {
		ends = append(ends, info.To)
	}
	if r := k.clock.look(wall, now.Sub(k.begun), ends); r.Duration() >= clockAhead {
		k.opts.Logger.Warn("the clock leapt ahead, or nothing was recorded for long; what was recorded before is kept longer by that time",
			"from", r.From.String(), "to", r.To.String())
	}
	return k.clock.skipped
}

// subtractLocked fills in how much is locked of the cameras that have too much.
// counting says that there is more to count; a camera does not have too much before
// its locked bytes are known.
func (k *Keeper) subtractLocked(ctx context.Context, cameras map[string]Camera, streams []recordings.StreamInfo, now time.Time) (counting bool, err error) {
	for id, c := range cameras {
		if c.MaxBytes <= 0 || c.Bytes <= c.MaxBytes {
			continue
		}
		bytes, known, err := k.locked.of(ctx, id, streams, now)
		if err != nil {
			return false, err
		}
		if c.Locked = bytes; !known {
			c.Locked, counting = c.Bytes, true
		}
		c.counting = !known
		cameras[id] = c
	}
	return counting, nil
}

// forgetEvents forgets the events of each camera that are older than its oldest
// recording, and than anything of it is kept.
func (k *Keeper) forgetEvents(ctx context.Context, now recordings.Time, streams []recordings.StreamInfo) error {
	oldest := make(map[string]recordings.Time)
	for _, info := range streams {
		if from, known := oldest[info.Camera]; !known || info.From < from {
			oldest[info.Camera] = info.From
		}
	}
	var problems error
	for camera, from := range oldest {
		rules := k.opts.Rules(camera)
		before := min(from, now.Add(-max(rules.Keep, rules.KeepEvents, forgetAfter)))
		problems = errors.Join(problems, k.opts.Store.DeleteEventsBefore(ctx, camera, before))
	}
	return problems
}

// Status returns how things stand. Safe for concurrent use.
func (k *Keeper) Status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.status
	s.Segments, s.Bytes = make(map[Reason]uint64), make(map[Reason]uint64)
	for _, why := range []Reason{TooOld, TooMuch, NoRoom} {
		s.Segments[why], s.Bytes[why] = k.status.Segments[why], k.status.Bytes[why]
	}
	return s
}
