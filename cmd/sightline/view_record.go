package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/timebase"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
	"github.com/sightline-cam/sightline/viewer"
)

// writeEvery is how much of a picture is written at a time: a file that is being
// written plays up to there.
const writeEvery = time.Second

// viewRecorder writes what is watched into an MP4 file.
type viewRecorder struct {
	files *numberedFiles
	tape  *recorder.Tape

	// The two count from different instants: each is placed by when it arrived.
	clock, soundClock *timebase.Mapper

	video, sound []*codecs.Unit // not written yet
	picture      codecs.Track
	heard        *codecs.Track
	since        time.Time
}

// newViewRecorder returns a recorder into the file at path, which must not be there
// yet. If the picture changes its format, it goes on in another file beside it.
func newViewRecorder(path, camera, version string) (*viewRecorder, error) {
	if _, err := os.Stat(path); err == nil {
		return nil, fmt.Errorf("%s is there already; choose another name", path)
	}
	if camera == "" {
		camera = "camera"
	}
	files := &numberedFiles{path: path}
	return &viewRecorder{
		files: files, clock: timebase.New(), soundClock: timebase.New(),
		tape: recorder.NewTape(recorder.TapeOptions{
			Stream: recordings.Stream{Camera: camera, Rendition: recordings.Main}, Store: files,
			SegmentDuration: forever, Writer: "sightline " + version,
		}),
	}, nil
}

// forever is longer than anybody watches.
const forever = 100 * 365 * 24 * time.Hour

// run records until the session or ctx ends.
func (r *viewRecorder) run(ctx context.Context, s *viewer.Session) error {
	for {
		f, err := s.ReadFrame(ctx)
		if err != nil {
			end := errors.Join(r.flush(context.WithoutCancel(ctx)), r.tape.Close())
			if ctx.Err() == nil && !errors.Is(err, io.EOF) {
				end = errors.Join(err, end)
			}
			return end
		}
		if err := r.take(ctx, f); err != nil {
			return errors.Join(err, r.tape.Close())
		}
	}
}

// take adds a frame, and writes what there is from time to time.
func (r *viewRecorder) take(ctx context.Context, f viewer.Frame) error {
	u := *f.Unit
	if !f.Codec.Video() {
		if len(r.video) == 0 && r.tape.End() == 0 {
			return nil // a file begins with its picture
		}
		rate := audioRate(f.Codec)
		u.At = r.soundClock.Reference(u.PTS, rate, true, u.Arrived)
		r.heard = &codecs.Track{Codec: f.Codec, ClockRate: rate, Channels: audioChannels(f.Codec)}
		r.sound = append(r.sound, &u)
		return nil
	}
	u.At = r.clock.Reference(u.PTS, videoRate, u.Key, u.Arrived)
	if len(r.video) > 0 && (u.Key || u.Arrived.Sub(r.since) >= writeEvery) {
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	if len(r.video) == 0 {
		r.since = u.Arrived
	}
	r.picture = codecs.Track{Codec: f.Codec, ClockRate: videoRate}
	r.video = append(r.video, &u)
	return nil
}

const (
	videoRate = 90_000
	opusRate  = 48_000
	g711Rate  = 8_000
)

func audioRate(c codecs.Codec) int {
	if c == codecs.Opus {
		return opusRate
	}
	return g711Rate
}

func audioChannels(c codecs.Codec) int {
	if c == codecs.Opus {
		return 2
	}
	return 1
}

func (r *viewRecorder) flush(ctx context.Context) error {
	if len(r.video) == 0 {
		return nil
	}
	r.tape.SetTracks(r.picture, r.heard)
	err := r.tape.Write(ctx, r.video, r.sound, 0)
	r.video, r.sound = nil, nil
	return err
}

// numberedFiles is a store whose segments are FILE, FILE-2, FILE-3.
type numberedFiles struct {
	path string
	n    int
}

// Create implements recorder.Store.
func (s *numberedFiles) Create(_ context.Context, _ recordings.Segment, init []byte) (recordings.Writer, error) {
	s.n++
	path := s.path
	if s.n > 1 {
		ext := filepath.Ext(path)
		path = strings.TrimSuffix(path, ext) + "-" + strconv.Itoa(s.n) + ext
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640) //nolint:gosec // the file that was asked for
	if err != nil {
		return nil, fmt.Errorf("write the recording: %w", err)
	}
	if _, err := f.Write(init); err != nil {
		return nil, errors.Join(fmt.Errorf("write the recording: %w", err), f.Close())
	}
	return &numberedFile{f: f}, nil
}

// numberedFile is one of them.
type numberedFile struct{ f *os.File }

// Append implements recordings.Writer.
func (w *numberedFile) Append(_ recordings.Fragment, data []byte) error {
	if _, err := w.f.Write(data); err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	return nil
}

// Close implements recordings.Writer.
func (w *numberedFile) Close() error {
	err := errors.Join(w.f.Sync(), w.f.Close())
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
