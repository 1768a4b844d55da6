package testsrc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// ErrRunning is returned by Run when another Run of the same Source has not
// ended.
var ErrRunning = errors.New("testsrc: the source is running already")

// Source makes the test picture. RequestKeyFrame and Missed are safe for
// concurrent use; Run is for one goroutine at a time.
type Source struct {
	options Options // constant

	wantKey atomic.Bool
	missed  atomic.Uint64

	running sync.Mutex // held by Run; guards what follows
	encoder *testpattern.Encoder
}

var (
	_ camera.Source            = (*Source)(nil)
	_ camera.KeyFrameRequester = (*Source)(nil)
)

// New returns a source that does nothing before Run. Errors wrap
// testpattern.ErrOptions.
func New(o Options) (*Source, error) {
	e, err := testpattern.New(o.Picture)
	if err != nil {
		return nil, fmt.Errorf("make a test source: %w", err)
	}
	o.Picture = e.Options()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Source{options: o, encoder: e}, nil
}

// Run makes frames at their time until ctx ends, and returns ctx's error. The
// first frame is a key frame. When Run could not keep up (the process was
// stopped, the machine is overloaded), it leaves frames out rather than make
// them late, and counts them. The first frame of another Run goes on counting
// where this one ended.
func (s *Source) Run(ctx context.Context, out camera.Output) error {
	if !s.running.TryLock() {
		return ErrRunning
	}
	defer s.running.Unlock()
	out.SetTracks(s.tracks())
	s.encoder.ForceKey()
	start := time.Now()
	p := newProducer(s, start.Round(0), out)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		now := time.Now()
		next := p.advance(now.Sub(start), now.Round(0))
		timer.Reset(next - time.Since(start))
	}
}

// RequestKeyFrame makes the next frame a key frame, but none within half a
// second of another: then it is the first one after that.
func (s *Source) RequestKeyFrame() { s.wantKey.Store(true) }

// Missed returns the number of video frames left out because they would have
// been late.
func (s *Source) Missed() uint64 { return s.missed.Load() }

// Options returns the source's options, defaults filled in.
func (s *Source) Options() Options { return s.options }

func (s *Source) tracks() []codecs.Track {
	sps, pps := s.encoder.ParameterSets()
	tracks := []codecs.Track{{Codec: codecs.H264, ClockRate: 90_000, SPS: sps, PPS: pps}}
	if s.options.Audio {
		tracks = append(tracks, codecs.Track{Codec: codecs.PCMU, ClockRate: audioRate, Channels: 1})
	}
	return tracks
}
