package nal

// BFrameDetector decides from the units of a stream whether it has B-frames,
// that is, pictures sent in another order than they are shown in. WebRTC has no
// way to say so: browsers then play at a few pictures a second. The zero value
// is ready for use. Not safe for concurrent use.
//
// It takes two pieces of evidence to say yes, so that one damaged unit or one
// odd time stamp does not, and quietUnits units without any to say no again.
type BFrameDetector struct {
	lastPTS  int64
	started  bool
	evidence int
	quiet    int
}

const (
	// quietUnits is ten to twenty seconds of pictures.
	quietUnits = 300
	// maxReorderTicks is how far a time stamp goes back at most because of
	// B-frames, in ticks of 90 kHz; further back is another clock.
	maxReorderTicks = 90_000
)

// Observe takes the next unit in the order of sending, with its presentation
// time in ticks of 90 kHz as the camera gave it, and reports whether the stream
// has B-frames.
func (d *BFrameDetector) Observe(au AccessUnit, pts int64) bool {
	back := d.lastPTS - pts
	reordered := au.Reordered || d.started && back > 0 && back <= maxReorderTicks
	d.lastPTS, d.started = pts, true
	if reordered {
		d.evidence = min(d.evidence+1, 2)
		d.quiet = 0
	} else if d.quiet++; d.quiet >= quietUnits {
		d.evidence = 0
	}
	return d.Found()
}

// Found reports whether the stream has B-frames, by what was observed last.
func (d *BFrameDetector) Found() bool { return d.evidence == 2 }
