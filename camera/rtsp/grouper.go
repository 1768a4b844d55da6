package rtsp

import "time"

// picture is all the NAL units of one RTP time stamp.
type picture struct {
	units   [][]byte
	ts      uint32
	arrived time.Time // of its newest packet
	damaged bool      // packets of it were lost
	suspect bool      // packets were lost between its beginning and the last picture
}

// grouper collects the NAL units of one RTP time stamp and decides when the
// picture is whole.
//
// The marker bit should say so (RFC 6184 §5.1), and waiting for the next
// picture's first packet would cost a frame interval of latency. But some
// cameras set the bit on every slice and some never. So the first pictures wait
// for the next time stamp, and when they agree on how many markers a picture
// has (one in a proper stream), that many markers end the later ones. When a
// slice then comes too late, markers are not believed any more on this
// connection.
type grouper struct {
	open     bool
	current  picture
	bytes    int
	slices   bool // current has a slice
	markers  int  // markers on slices of current
	complete bool // current was handed on

	expect   int  // markers that end a picture; 0 while not known
	agreed   int  // consecutive pictures with candidate markers
	last     int  // markers of the last picture
	distrust bool // time stamps alone decide
}

const (
	// oneMarker and moreMarkers are how many pictures have to agree on one,
	// or on more than one marker. Cameras that limit the size of a slice
	// have another number in every picture, but not in quiet scenes.
	oneMarker   = 2
	moreMarkers = 50
	// maxPictureBytes and maxPictureUnits bound a picture.
	maxPictureBytes = 8 << 20
	maxPictureUnits = 1024
)

// begin says that a packet with time stamp ts has come now. If that ends a
// picture, it is returned.
func (g *grouper) begin(ts uint32, now time.Time) (picture, bool) {
	if g.open && ts == g.current.ts {
		if !g.complete {
			g.current.arrived = now
		}
		return picture{}, false
	}
	done, ok := g.current, g.open && !g.complete && (len(g.current.units) > 0 || g.current.damaged)
	if g.open && g.slices {
		g.learn()
	}
	g.open, g.complete, g.slices = true, false, false
	g.markers, g.bytes = 0, 0
	g.current = picture{ts: ts, arrived: now}
	return done, ok
}

// add takes the NAL units of a packet of the current time stamp; slices says
// that there are slices among them. If that ends the picture, it is returned.
func (g *grouper) add(units [][]byte, slices, marker bool) (picture, bool) {
	if g.complete {
		if slices && !g.distrust {
			g.distrust = true
		}
		return picture{}, false
	}
	for _, u := range units {
		g.bytes += len(u)
	}
	if g.bytes > maxPictureBytes || len(g.current.units)+len(units) > maxPictureUnits {
		g.current.damaged = true
		return picture{}, false
	}
	g.current.units = append(g.current.units, units...)
	g.slices = g.slices || slices
	if marker && slices {
		g.markers++
	}
	if g.distrust || g.expect == 0 || g.markers < g.expect || !marker {
		return picture{}, false
	}
	g.complete = true
	done := g.current
	g.current.units = nil
	return done, true
}

// lose says that packets are missing before the one that comes next.
func (g *grouper) lose() {
	if g.open && !g.complete {
		g.current.damaged = true
	}
}

// suspect says that packets before the current one were lost, which may have
// belonged to its picture.
func (g *grouper) suspect() { g.current.suspect = true }

// damage says that the current packet cannot be read.
func (g *grouper) damage() { g.current.damaged = true }

// learn compares the number of markers of a picture that is over with those
// before it.
func (g *grouper) learn() {
	if g.current.damaged {
		return
	}
	if g.markers != g.last {
		g.last, g.agreed = g.markers, 0
		if !g.complete {
			g.expect = 0
		}
	}
	g.agreed++
	need := oneMarker
	if g.markers > 1 {
		need = moreMarkers
	}
	if g.markers > 0 && g.agreed >= need {
		g.expect = g.markers
	}
}
