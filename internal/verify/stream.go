package verify

import (
	"context"
	"errors"

	"github.com/sightline-cam/sightline/codecs"
)

// ErrFormat says that a file is none that can be checked.
var ErrFormat = errors.New("not a video file that can be checked; give an MP4 file with H.264 or H.265, or a raw stream of either")

// clock is the number of ticks a second of the units' times, whatever the file's.
const clock = 90_000

// Limits of what is read at once, in bytes.
const (
	maxMovie    = 256 << 20 // the tables of a day in one file
	maxFragment = 16 << 20
	maxSample   = 32 << 20
)

// stream is the video of a file. Each access unit's PTS is in ticks of clock from
// the file's beginning; At is what the file says of the time on the wall, 0 if it
// says nothing.
type stream interface {
	codec() codecs.Codec
	// units calls yield with each access unit in the file's order, for how long it is
	// shown (0 if nobody knows), and the parameter sets of the file's header that
	// count from it on where they change. It stops at the first
	// error, which is yield's, or about reading, or wraps ErrFormat: the file is
	// damaged there.
	units(ctx context.Context, yield func(u *codecs.Unit, shown int64, sets [][]byte) error) error
	// timed reports whether the units' times are the file's.
	timed() bool
	// faults are what of the file changes what a player shows, and no signature
	// covers, or what players understand differently; they are complete at the end.
	// notes are what else is worth knowing.
	faults() []string
	notes() []string
	// headers are all the parameter sets in the file's header.
	headers() [][]byte
	// created are the times of creation that the file gives, in seconds since 1904;
	// 0 is none.
	created() []uint64
}
