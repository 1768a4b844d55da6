package remote

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

// Options configure a Remote. Dial and Store are required.
type Options struct {
	// Name names the agent in log lines and reasons, its PeerID for example.
	Name string
	// Dial connects to the agent; see DialViewer.
	Dial func(ctx context.Context, w Want) (Session, error)
	// Store is where recordings go.
	Store Store
	// Cameras are the ids of those to record, as the agent names them. Default: all
	// that may be watched, those that appear later included.
	Cameras []string
	// LocalID is the id that a camera has here, if it is not the same: two agents may
	// each have a camera "front". One for which it is empty is not recorded.
	LocalID func(camera string) string
	// Policy says what of a camera is recorded, by its id here. Default: the main
	// rendition with sound, all the time.
	Policy func(camera string) recorder.Policy
	// NotBefore is when the oldest recording of a stream may begin: what is older is
	// not fetched, so that what was deleted does not come back. Default: everything
	// that the agent still has.
	NotBefore func(recordings.Stream) recordings.Time
	// OnCamera is called for each camera once it is known, before anything of it
	// comes. It must not block.
	OnCamera func(*Camera)
	// BackfillRate bounds what is fetched in the background, of all cameras together,
	// in bit/s. Default: half of what the line carries beside the live pictures, as
	// the agent finds out, and 50 Mbit/s at most.
	BackfillRate int
	// ChunkDuration is how long a piece is that is fetched in the background; the
	// newest piece comes first, and each becomes a segment. Default 1 minute.
	ChunkDuration time.Duration
	// InlineWait is how long live recording waits for a group of pictures that has to
	// be fetched. Default 10 s.
	InlineWait time.Duration
	// CatchUpBytes is how much may be missing after an outage to be fetched before
	// live recording goes on, in the same segment. Default 4 MiB.
	CatchUpBytes int64
	// MemoryBytes bounds what is held of one camera while it is not known whether it
	// is whole; of many cameras of an agent each gets less. Default 24 MiB.
	MemoryBytes int64
	// Patience is how long a lost packet is asked for again. Default 4 s.
	Patience time.Duration
	// MinBackoff and MaxBackoff bound the wait between two attempts to connect, which
	// doubles from one to the other and is jittered downwards by up to a half.
	// Defaults 1 s and 15 s.
	MinBackoff, MaxBackoff time.Duration
	// SegmentDuration, Writer and CauseOf are those of recorder.TapeOptions.
	SegmentDuration time.Duration
	Writer          string
	CauseOf         func(error) recordings.Cause
	// NewTape makes what writes segments. Default: recorder.NewTape.
	NewTape func(recorder.TapeOptions) Tape
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger

	bounds *bounds
}

func (o *Options) setDefaults() error {
	if o.Dial == nil || o.Store == nil {
		return errors.New("record an agent's cameras: there is no way to dial it, or no store")
	}
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	set(&o.ChunkDuration, time.Minute)
	set(&o.InlineWait, 10*time.Second)
	set(&o.Patience, 4*time.Second)
	set(&o.MinBackoff, time.Second)
	set(&o.MaxBackoff, 15*time.Second)
	if o.CatchUpBytes <= 0 {
		o.CatchUpBytes = 4 << 20
	}
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = 24 << 20
	}
	o.bounds = newBounds(o.BackfillRate)
	if o.LocalID == nil {
		o.LocalID = func(camera string) string { return camera }
	}
	if o.Policy == nil {
		o.Policy = func(string) recorder.Policy { return recorder.Policy{Audio: true} }
	}
	if o.NotBefore == nil {
		o.NotBefore = func(recordings.Stream) recordings.Time { return 0 }
	}
	if o.OnCamera == nil {
		o.OnCamera = func(*Camera) {}
	}
	if o.NewTape == nil {
		o.NewTape = func(t recorder.TapeOptions) Tape { return recorder.NewTape(t) }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Name != "" {
		o.Logger = o.Logger.With("agent", o.Name)
	}
	return nil
}
