package fmp4

import "github.com/sightline-cam/sightline/codecs"

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

// shortest returns tick, or less if pictures follow each other faster: then the
// first ones need not wait so long, and a segment that follows another one does not
// claim to decode its first picture before the other's last.
func (r reordering) shortest(units []*codecs.Unit) int64 {
	tick := r.tick
	for i, u := range units {
		for _, v := range units[i+1 : min(i+1+2*maxReorder, len(units))] {
			if d := distance(u.PTS, v.PTS); d > 0 {
				tick = min(tick, d)
			}
		}
	}
	return tick
}
