package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// Options configure a Recorder. Store is required.
type Options struct {
	Store  Catalogue
	Inputs []Input
	// SyncEvery bounds what a power cut costs: no frame is older when it is written
	// and a sync begins. Default 1 s.
	SyncEvery time.Duration
	// SegmentDuration is that of TapeOptions.
	SegmentDuration time.Duration
	// QueueBytes bounds the video of a stream that waits for the disk; beyond it
	// frames are dropped up to a key frame. Default 8 MiB.
	QueueBytes int64
	// PreRollBytes bounds the video of a stream that is kept in case something
	// happens; beyond it the oldest GOPs are dropped. A single GOP may have more, up
	// to 64 MiB. Default 16 MiB.
	PreRollBytes int64
	// Writer and CauseOf are those of TapeOptions.
	Writer  string
	CauseOf func(error) recordings.Cause
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger
}

func (o *Options) setDefaults() {
	if o.SyncEvery <= 0 {
		o.SyncEvery = time.Second
	}
	if o.QueueBytes <= 0 {
		o.QueueBytes = 8 << 20
	}
	if o.PreRollBytes <= 0 {
		o.PreRollBytes = 16 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Input is a camera to record.
type Input struct {
	// Camera is its id, Name what people call it (default: its id).
	Camera, Name string
	Policy       Policy
	// Feeds are its renditions by name: recordings.Main, recordings.Sub. One that
	// the policy wants and that is not there is left out.
	Feeds map[string]Feed
	// Signed says that the video is signed, where that is known.
	Signed bool
}

const (
	// finishWithin is how long Run waits for the disk at its end.
	finishWithin = 10 * time.Second
	// together is how long a sync waits for the last stream that is being written,
	// so that one sync serves all.
	together = 100 * time.Millisecond
	// asking is how long the hubs are not looked at because the store has not said yet
	// what the rules are. One that takes longer is not waited for again until it has.
	asking = 50 * time.Millisecond
)

// Recorder records cameras of this process: it looks at their hubs about twice a
// second, so that a frame costs no wake-up, and writes what came within SyncEvery.
// Each stream has a goroutine that writes: a disk that hangs holds up nothing else.
// Safe for concurrent use.
type Recorder struct {
	// Constant after New.
	opts    Options
	pace    pace
	guards  []*guard
	streams []*stream
	inputs  map[*stream]Input

	looked  chan struct{} // capacity 1: all hubs were looked at
	ask     chan struct{} // capacity 1: the rules are wanted
	guarded chan struct{} // capacity 1: they are up to date

	asked bool // and there was no answer; owned by the goroutine that looks

	progress progress
	looking  atomic.Bool // they are being looked at
}

// New returns a recorder that does nothing before Run.
func New(o Options) (*Recorder, error) {
	if o.Store == nil {
		return nil, errors.New("make a recorder: it has no store")
	}
	o.setDefaults()
	r := &Recorder{
		opts: o, pace: paceOf(o.SyncEvery), inputs: make(map[*stream]Input),
		looked: make(chan struct{}, 1), ask: make(chan struct{}, 1), guarded: make(chan struct{}, 1),
	}
	r.progress.dirty = make(chan struct{}, 1)
	seen := make(map[string]bool)
	for _, in := range o.Inputs {
		if in.Camera == "" || seen[in.Camera] {
			return nil, fmt.Errorf("make a recorder: camera %q is named twice, or not at all", in.Camera)
		}
		seen[in.Camera] = true
		in.Policy.setDefaults()
		g := newGuard(in.Camera, in.Policy)
		r.guards = append(r.guards, g)
		for _, name := range in.Policy.Renditions {
			if feed := in.Feeds[name]; feed != nil && !r.has(in.Camera, name) {
				s := newStream(recordings.Stream{Camera: in.Camera, Rendition: name}, feed, g, &r.opts, r.pace)
				r.streams = append(r.streams, s)
				r.inputs[s] = in
			}
		}
	}
	return r, nil
}

func (r *Recorder) has(camera, rendition string) bool {
	for _, s := range r.streams {
		if s.id.Camera == camera && s.id.Rendition == rendition {
			return true
		}
	}
	return false
}

func newStream(id recordings.Stream, feed Feed, g *guard, o *Options, p pace) *stream {
	return &stream{
		id: id, feed: feed, guard: g, opts: o, pace: p, audio: g.policy.Audio, queue: newQueue(),
		noted:   recordings.NotRecording,
		preRoll: preRoll{keep: g.policy.PreRoll + noticed, limit: o.PreRollBytes, most: max(o.PreRollBytes, mostPreRoll)},
		status:  Status{Camera: id.Camera, Rendition: id.Rendition, Reason: "starting", Since: time.Now()},
	}
}

// Run records until ctx ends, then writes what it has, ends all segments, syncs,
// and returns ctx's error, or another if the disk did not take it all. Call it once.
func (r *Recorder) Run(ctx context.Context) error {
	work := context.WithoutCancel(ctx) // what was taken is written, come what may
	r.guard(ctx)
	var writers sync.WaitGroup
	shared := &buffers{}
	for _, s := range r.streams {
		tape := NewTape(r.tapeOptions(ctx, s, shared))
		s.open(tape.End())
		writers.Go(func() { s.write(work, tape, &r.progress) })
	}
	var helpers sync.WaitGroup
	help, end := context.WithCancel(work)
	defer end()
	helpers.Go(func() { r.keepGuard(help) })
	helpers.Go(func() { r.keepSynced(help) })

	r.look(ctx)

	r.freshen()
	for _, s := range r.streams {
		s.close()
	}
	err := r.finish(&writers)
	end()
	helpers.Wait()
	last, cancel := context.WithTimeout(work, finishWithin)
	defer cancel()
	if err == nil {
		err = r.opts.Store.Sync(last)
	}
	if err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("end the recording: %w", err))
	}
	return ctx.Err()
}

// tapeOptions asks the store where a stream stands.
func (r *Recorder) tapeOptions(ctx context.Context, s *stream, shared *buffers) TapeOptions {
	in := r.inputs[s]
	past, err := r.opts.Store.Past(ctx, s.id)
	if err != nil {
		r.opts.Logger.Error("it is not known what was recorded before; the timeline may show a gap without its cause",
			"camera", s.id.Camera, "rendition", s.id.Rendition, "error", err)
	}
	return TapeOptions{
		Stream: s.id, Store: r.opts.Store, CameraName: in.Name, Past: past, Signed: in.Signed,
		SegmentDuration: r.opts.SegmentDuration, Writer: r.opts.Writer, CauseOf: r.opts.CauseOf, Logger: r.opts.Logger,
		buffers: shared,
	}
}

// look looks at the hubs until ctx ends.
func (r *Recorder) look(ctx context.Context) {
	tick := time.NewTicker(r.pace.tick)
	defer tick.Stop()
	for n := 0; ; n++ {
		r.freshen()
		now := time.Now()
		r.looking.Store(true)
		for _, s := range r.streams {
			s.look(now, n%r.pace.turns == 0)
		}
		r.looking.Store(false)
		signal(r.looked)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// freshen brings the rules up to date: what has come since somebody paused the
// recording must not be written by rules from before that.
func (r *Recorder) freshen() {
	if r.asked {
		select {
		case <-r.guarded:
			r.asked = false
		default:
			return // the store hangs
		}
	}
	signal(r.ask)
	timer := time.NewTimer(asking)
	defer timer.Stop()
	select {
	case <-r.guarded:
	case <-timer.C:
		r.asked = true
	}
}

// keepGuard keeps the rules up to date until ctx ends, in a goroutine of its own: a
// store that hangs must not hold up those who look.
func (r *Recorder) keepGuard(ctx context.Context) {
	for {
		select {
		case <-r.ask:
			r.guard(ctx)
			signal(r.guarded)
		case <-ctx.Done():
			return
		}
	}
}

func (r *Recorder) guard(ctx context.Context) {
	now := time.Now()
	for _, g := range r.guards {
		err := g.look(ctx, r.opts.Store, now)
		if failed := err != nil; failed != g.failed {
			g.failed = failed
			if failed && ctx.Err() == nil {
				r.opts.Logger.Error("it is not known whether something happened; this camera is recorded only when something does",
					"camera", g.camera, "error", err)
			}
		}
	}
}

// signal sends on a channel of capacity 1.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// keepSynced syncs what was written, until ctx ends.
func (r *Recorder) keepSynced(ctx context.Context) {
	synced := uint64(0)
	for {
		select {
		case <-r.progress.dirty:
		case <-ctx.Done():
			return
		}
		r.gather(ctx)
		written := r.progress.written.Load()
		if written == synced {
			continue
		}
		synced = written
		if err := r.opts.Store.Sync(ctx); err != nil && ctx.Err() == nil {
			// The store has logged it, and fails the segments that are concerned.
			r.opts.Logger.Debug("sync", "error", err)
		}
	}
}

// gather waits until all streams are written that are being written, but not long.
func (r *Recorder) gather(ctx context.Context) {
	timer := time.NewTimer(together)
	defer timer.Stop()
	for r.busy() {
		select {
		case <-r.progress.dirty:
		case <-r.looked:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (r *Recorder) busy() bool {
	if r.looking.Load() {
		return true
	}
	for _, s := range r.streams {
		if s.queue.load() > 0 {
			return true
		}
	}
	return false
}

// finish waits for the goroutines that write.
func (r *Recorder) finish(writers *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		writers.Wait()
		close(done)
	}()
	timer := time.NewTimer(finishWithin)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return errors.New("the disk does not answer; what was recorded last may be missing")
	}
}

// Status returns how every rendition stands that is to be recorded, by camera in
// the order of Options.Inputs.
func (r *Recorder) Status() []Status {
	all := make([]Status, 0, len(r.streams))
	for _, s := range r.streams {
		all = append(all, s.snapshot())
	}
	return all
}
