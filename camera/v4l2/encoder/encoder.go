//go:build device && cgo

package encoder

import (
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/io/video"
)

// errClosed is what Encode returns after Close.
var errClosed = errors.New("the encoder is closed")

// Encoder makes H.264 of pictures: for each picture a unit, with no picture held back,
// no B-frames, and the parameter sets before every key frame. Its methods may be called
// from several goroutines.
type Encoder struct {
	// constant after construction
	settings Settings
	packer   packer
	logger   *slog.Logger
	now      func() time.Time

	mu      sync.Mutex // guards what follows
	planes  *planes
	library codec.ReadCloser // nil after Close
	speed   int              // index in speeds()
	pacer   pacer
	wantKey bool
	late    bool // the log says already that this computer cannot keep up
}

// New makes an encoder. The error says what to change if the settings are not usable.
func New(s Settings) (*Encoder, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	e := &Encoder{
		settings: s, logger: s.Logger, now: time.Now,
		planes: newPlanes(s.Width, s.Height), pacer: newPacer(s.Rate),
	}
	if e.logger == nil {
		e.logger = slog.New(slog.DiscardHandler)
	}
	if isJPEG(s.FourCC) {
		e.packer = newJPEGPacker(s)
	} else {
		p, err := newRawPacker(s)
		if err != nil {
			return nil, err
		}
		e.packer = p
	}
	library, err := e.open(0)
	if err != nil {
		return nil, err
	}
	e.library = library
	return e, nil
}

// open makes an encoder of the library's that encodes e.planes.
func (e *Encoder) open(speed int) (codec.ReadCloser, error) {
	p := e.planes
	img := &image.YCbCr{
		Y: p.y, Cb: p.cb, Cr: p.cr, YStride: p.width, CStride: p.width / 2,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, p.width, p.height),
	}
	source := video.ReaderFunc(func() (image.Image, func(), error) { return img, func() {}, nil })
	library, err := openLibrary(source, e.settings, speed)
	if err != nil {
		return nil, fmt.Errorf("start %s for %dx%d at %g pictures a second: %w", Name, p.width, p.height, e.settings.Rate, err)
	}
	return library, nil
}

// Encode makes a picture an access unit in Annex B form, which is valid until the next
// call; an empty one means that the encoder left the picture out. With key it is an IDR
// picture with its parameter sets. Such a request lasts until a picture is encoded.
//
// An error that wraps ErrPicture is about this picture only. Any other means that the
// encoder is of no more use.
func (e *Encoder) Encode(picture []byte, key bool) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.library == nil {
		return nil, errClosed
	}
	e.wantKey = e.wantKey || key
	started := e.now()
	if err := e.packer.pack(e.planes, picture); err != nil {
		return nil, err
	}
	unit, err := e.encodeLocked()
	if err != nil {
		return nil, err
	}
	if load, slow := e.pacer.observe(e.now().Sub(started)); slow {
		e.hurryLocked(load)
	}
	return unit, nil
}

// encodeLocked makes a unit of e.planes.
func (e *Encoder) encodeLocked() ([]byte, error) {
	if e.wantKey {
		c, ok := e.library.Controller().(codec.KeyFrameController)
		if !ok {
			return nil, fmt.Errorf("%s makes no key frame on demand", Name)
		}
		if err := c.ForceKeyFrame(); err != nil {
			return nil, fmt.Errorf("ask %s for a key frame: %w", Name, err)
		}
	}
	unit, release, err := e.library.Read()
	if err != nil {
		return nil, fmt.Errorf("encode by %s: %w", Name, err)
	}
	release() // a copy of the library's memory that only we have
	if len(unit) > 0 {
		e.wantKey = false
	}
	return unit, nil
}

// hurryLocked goes on at the next speed, since pictures took that share of the time.
// The next unit is a key frame.
func (e *Encoder) hurryLocked(load float64) {
	percent := int(load*100 + 0.5)
	if e.speed+1 >= len(speeds()) {
		if load > 1 && !e.late {
			e.late = true
			e.logger.Warn("this computer is too slow to encode every picture; choose a smaller size or a lower rate",
				"encoder", Name, "speed", speeds()[e.speed], "percent", percent)
		}
		return
	}
	library, err := e.open(e.speed + 1)
	if err != nil {
		e.logger.Warn("a faster encoder does not start", "error", err)
		return
	}
	if err := e.library.Close(); err != nil {
		e.logger.Debug("closing the slower encoder", "error", err)
	}
	e.library, e.speed = library, e.speed+1
	e.logger.Info("encoding takes most of the time between pictures: going on faster, with less quality",
		"encoder", Name, "speed", speeds()[e.speed], "percent", percent)
}

// Close ends the encoder. Closing twice is fine.
func (e *Encoder) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.library == nil {
		return nil
	}
	library := e.library
	e.library = nil
	if err := library.Close(); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("close %s: %w", Name, err)
	}
	return nil
}
