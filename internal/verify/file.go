package verify

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/mediasign"
)

// File checks a file of size bytes: MP4 with H.264 or H.265, or a raw stream of
// either. Reading errors, and a file in which no video is found (ErrFormat), are
// errors; all else is in the report, also that the file is damaged from some place
// on.
func File(ctx context.Context, r io.ReaderAt, size int64, o Options) (Report, error) {
	o = o.withDefaults()
	s, err := open(ctx, r, size, o.Progress)
	if err != nil {
		return Report{}, fmt.Errorf("check the file: %w", err)
	}
	a := newAssessor(s, o)
	v := mediasign.NewVerifier(mediasign.VerifierOptions{Codec: s.codec()})
	err = s.units(ctx, func(u *codecs.Unit, shown int64, sets [][]byte) error {
		if sets != nil {
			v.SetParameterSets(sets)
			a.current = sets
		}
		a.unit(u, shown)
		a.take(v.Add(u))
		return nil
	})
	if err != nil && !errors.Is(err, ErrFormat) {
		return Report{}, err
	}
	a.take(v.Finish())
	if err != nil {
		a.damaged(err)
	}
	if o.Progress != nil {
		o.Progress(size, size)
	}
	return a.report(), nil
}

// open finds out what kind of file it is.
func open(ctx context.Context, r io.ReaderAt, size int64, progress func(done, size int64)) (stream, error) {
	if size < 8 {
		return nil, fmt.Errorf("it has %d bytes: %w", size, ErrFormat)
	}
	// Only what begins with a start code is a raw stream: players that know a file
	// by its boxes would find another one.
	zeros := 0
	for at := int64(0); at < min(size, 4096); at++ {
		var b [1]byte
		if _, err := r.ReadAt(b[:], at); err != nil {
			return nil, fmt.Errorf("read it: %w", err)
		}
		switch {
		case b[0] == 0:
			zeros++
			continue
		case b[0] == 1 && zeros >= 2:
			return openRaw(ctx, r, size, progress)
		default:
			return openMovie(r, size, progress)
		}
	}
	return openMovie(r, size, progress)
}
