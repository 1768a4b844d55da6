package testpattern

import "time"

// Encoder makes the test picture frame by frame. It is not safe for concurrent
// use. It holds about 2 MB at 1280x720.
type Encoder struct {
	// Constant after New.
	options   Options
	gopFrames int
	sps, pps  []byte

	scene *scene
	slice *sliceEncoder

	counter  uint32 // of frames encoded
	sinceKey int    // frames since the last key frame
	force    bool
	idrPicID uint32
}

// New returns an encoder whose first frame will be a key frame. Errors wrap
// ErrOptions.
func New(o Options) (*Encoder, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Encoder{
		options:   o,
		gopFrames: o.gopFrames(),
		sps:       sequenceParameterSet(o),
		pps:       pictureParameterSet(),
		scene:     newScene(o),
		slice:     newSliceEncoder(macroblocks(o.Width), macroblocks(o.Height)),
	}, nil
}

// Options returns the encoder's options, defaults filled in.
func (e *Encoder) Options() Options { return e.options }

// ParameterSets returns the SPS and PPS of the stream as NAL units without
// start code. They never change and must not be changed.
func (e *Encoder) ParameterSets() (sps, pps []byte) { return e.sps, e.pps }

// Counter returns the number of frames encoded so far, which is the counter
// that the next frame will show, before it is taken modulo 2^24.
func (e *Encoder) Counter() uint32 { return e.counter }

// ForceKey makes the next frame a key frame; the GOP then starts anew.
func (e *Encoder) ForceKey() { e.force = true }

// Encode draws the picture as of now and returns its NAL units without start
// codes: SPS, PPS and IDR slice for a key frame (three units), one P slice
// otherwise. The picture tells StampTime(now). The result is the caller's to
// keep and to share, but not to change.
func (e *Encoder) Encode(now time.Time) [][]byte {
	key := e.force || e.counter == 0 || e.sinceKey >= e.gopFrames
	if key {
		e.force = false
		e.sinceKey = 0
		e.idrPicID ^= 1 // differs between neighbouring IDR pictures
	}
	e.scene.update(StampTime(now), e.counter, key)
	e.slice.begin(key, uint32(e.sinceKey)&(1<<frameNumBits-1), e.idrPicID)
	e.codePicture(key)
	nal := e.slice.end()
	e.counter++
	e.sinceKey++
	if key {
		return [][]byte{e.sps, e.pps, nal}
	}
	return [][]byte{nal}
}

// codePicture codes all macroblocks of a key frame, else those that the scene
// has changed.
func (e *Encoder) codePicture(key bool) {
	i := 0
	for mby := range e.slice.frame.mbHeight {
		for mbx := range e.slice.frame.mbWidth {
			switch {
			case key || e.scene.dirty[i]:
				grain := e.scene.paint(&e.slice.src, mbx, mby)
				before := e.slice.w.len()
				e.slice.code(mbx, mby, grain)
				e.scene.spent(mbx, mby, e.slice.w.len()-before)
			default:
				e.slice.skip(1)
			}
			i++
		}
	}
	e.scene.end(e.slice.w.len())
}
