package fmp4

// maxReorder is the most pictures that may be decoded before one that is shown
// before them, in H.264 and H.265.
const maxReorder = 16

// reordering is how far pictures are decoded in another order than shown.
type reordering struct {
	// pictures come at most before one that is shown before them; tick is the time
	// counted for each of them.
	pictures int
	tick     int64
}

// newReordering takes what the parameter sets say. Unknown (-1) counts as none:
// offsets in a fragment are signed, so nothing breaks if there are some.
func newReordering(pictures int, fps float64) reordering {
	const slowest = 12.5
	return reordering{
		pictures: min(max(pictures, 0), maxReorder),
		tick:     int64(VideoClock / max(fps, slowest)),
	}
}

// delay is how much later a picture is shown than its place in the order says.
func (r reordering) delay() int64 { return int64(r.pictures) * r.tick }
