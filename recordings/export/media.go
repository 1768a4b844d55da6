package export

import (
	"context"
	"io"

	"github.com/sightline-cam/sightline/recordings"
)

// Media is the file of one segment.
type Media interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Opener opens the file of a segment.
type Opener func(ctx context.Context, ref recordings.Ref) (Media, error)
