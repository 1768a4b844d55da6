package recorder

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// Options configure a Recorder. Store and Inputs are required.
type Options struct {
	Store  Catalogue
	Inputs []Input
	// SyncEvery bounds what a power cut costs: no frame is older when it is written
	// and synced. Default 1 s.
	SyncEvery time.Duration
	// SegmentDuration is that of TapeOptions.
	SegmentDuration time.Duration
	// QueueBytes bounds the video of a stream that waits for the disk; beyond it
	// frames are dropped up to a key frame. Default 8 MiB.
	QueueBytes int64
	// PreRollBytes bounds the video of a stream that is kept in case something
	// happens; beyond it the oldest GOPs are dropped. Default 4 MiB.
	PreRollBytes int64
	// Writer and CauseOf are those of TapeOptions.
	Writer  string
	CauseOf func(error) recordings.Cause
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger
}

// Input is a camera to record.
type Input struct {
	// Camera is its id, Name what people call it.
	Camera, Name string
	Policy       Policy
	// Feeds are its renditions by name: recordings.Main, recordings.Sub.
	Feeds map[string]Feed
}

// Recorder records cameras of this process. Safe for concurrent use.
type Recorder struct{}

// New returns a recorder that does nothing before Run.
func New(o Options) (*Recorder, error) {
	if o.Store == nil {
		return nil, errors.New("make a recorder: it has no store")
	}
	return &Recorder{}, nil
}

// Run records until ctx ends, then writes what it has, ends all segments, syncs,
// and returns ctx's error. Call it once.
func (r *Recorder) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Status returns how every rendition stands that is to be recorded, by camera in
// the order of Options.Inputs.
func (r *Recorder) Status() []Status { return nil }
