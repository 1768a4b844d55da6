package peer

import (
	"context"
	"io"
	"sync"

	"github.com/sightline-cam/sightline/codecs"
)

// UnitReader reads the streams of a Conn as one sequence of frames. Hand its
// AddTrack to DialOptions.OnTrack. What nobody reads in time waits in the
// streams' own queues, and is dropped there.
type UnitReader struct {
	// Constant after construction.
	units chan trackUnit
	ended chan struct{} // closed by End

	endOnce sync.Once
}

type trackUnit struct {
	track *RemoteTrack
	unit  *codecs.Unit
}

// NewUnitReader returns a reader without streams.
func NewUnitReader() *UnitReader {
	return &UnitReader{units: make(chan trackUnit), ended: make(chan struct{})}
}

// AddTrack moves the stream's frames until the stream or the reader ends.
func (r *UnitReader) AddTrack(t *RemoteTrack) {
	for {
		u, err := t.ReadUnit(context.Background()) // ends with the stream
		if err != nil {
			return
		}
		select {
		case r.units <- trackUnit{t, u}:
		case <-r.ended:
			return
		case <-t.conn.stop:
			return
		}
	}
}

// Read returns the next frame of any stream. io.EOF after End.
func (r *UnitReader) Read(ctx context.Context) (*RemoteTrack, *codecs.Unit, error) {
	select {
	case tu := <-r.units:
		return tu.track, tu.unit, nil
	case <-r.ended:
		return nil, nil, io.EOF
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// End makes reads return io.EOF. Idempotent.
func (r *UnitReader) End() { r.endOnce.Do(func() { close(r.ended) }) }
