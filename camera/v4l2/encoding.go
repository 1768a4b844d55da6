package v4l2

import (
	"bytes"
	"errors"
	"math"
	"time"

	"github.com/sightline-cam/sightline/camera/pictures"
	"github.com/sightline-cam/sightline/camera/v4l2/encoder"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// pictureEncoder is an encoder.Encoder.
type pictureEncoder interface {
	Encode(picture []byte, key bool) ([]byte, error)
	Close() error
}

// maxUnusable is how many pictures in a row may be unusable.
const maxUnusable = 100

// encoding makes video of a device's pictures.
type encoding struct {
	session  *session // constant
	out      *pictures.Video
	encoder  pictureEncoder
	wantKey  bool
	unusable int // pictures in a row
}

func newEncoding(c *session) (*encoding, error) {
	o, opts := c.opened, &c.source.opts
	rate := o.mode.Rate()
	e, err := opts.newEncoder(encoder.Settings{
		FourCC: o.pix.FourCC.String(), Width: int(o.pix.Width), Height: int(o.pix.Height), Stride: int(o.pix.BytesPerLine),
		Rate: rate, Bitrate: bitrate(opts.Bitrate, o.pix, rate), Logger: opts.Logger,
		KeyInterval: max(1, int(math.Round(opts.KeyInterval.Seconds()*rate))),
	})
	if err != nil {
		return nil, errorf(Driver, "%s delivers pictures that cannot be encoded: %v", o.path, err)
	}
	return &encoding{session: c, out: pictures.New(0, c.tracks[0], c), encoder: e}, nil
}

// bitrate returns the bits a second for pictures of that size: what was asked for, or
// a tenth of a bit for each pixel.
func bitrate(want int, p uapi.Pix, rate float64) int {
	const least, most = 300_000, 8_000_000
	if want > 0 {
		return want
	}
	return min(max(int(float64(p.Width)*float64(p.Height)*rate/10), least), most)
}

// frame implements handler.
func (e *encoding) frame(f uapi.Frame, at stamp) error {
	video, err := e.encoder.Encode(f.Data, e.wantKey)
	switch {
	case errors.Is(err, encoder.ErrPicture):
		e.session.Trouble("unusable pictures", err)
		if e.unusable++; e.unusable >= maxUnusable {
			return errorf(Driver, "%s delivers pictures that cannot be read: %v; choose another --format or --size, see --list", e.session.opened.path, err)
		}
		return nil
	case err != nil:
		return errorf(Driver, "the pictures of %s cannot be encoded: %v", e.session.opened.path, err)
	}
	e.unusable = 0
	if len(video) == 0 {
		return nil
	}
	e.wantKey = false
	units, err := nal.SplitAnnexB(bytes.Clone(video))
	if err != nil {
		return errorf(Driver, "the encoder made no video of a picture of %s: %v", e.session.opened.path, err)
	}
	e.out.Write(e.out.Assemble(units), at.pts, at.captured, at.arrived)
	return nil
}

// keyFrame implements handler.
func (e *encoding) keyFrame(time.Time) error {
	e.wantKey = true
	return nil
}

// close implements handler.
func (e *encoding) close() {
	if err := e.encoder.Close(); err != nil {
		e.session.source.opts.Logger.Debug("closing the encoder", "error", err)
	}
}
