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
	err = s.units(ctx, func(u *codecs.Unit, sets [][]byte) error {
		if sets != nil {
			v.SetParameterSets(sets)
			a.header(sets)
		}
		a.unit(u)
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
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	switch string(head[4:]) {
	case "ftyp", "styp", "moov", "moof", "mdat", "free", "skip", "wide", "uuid", "sidx", "prft":
		return openMovie(r, size, progress)
	}
	return openRaw(ctx, r, size, progress)
}
