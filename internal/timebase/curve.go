package timebase

// curve is what is added to media times, as a function of them: straight pieces
// that begin at knots, so that a picture sent late or a sound captured earlier gets
// the time that it had got then.
type curve struct {
	knots [32]knot // a ring; at least half a minute
	n     int      // how many there ever were
}

// knot is where the curve bends or jumps. From media on, offset is added, and ppm of
// the distance for at most run.
type knot struct {
	media, offset int64
	run, ppm      int64
	jump          bool // the curve does not continue here
}

func (k *knot) at(media int64) int64 {
	return k.offset + min(max(media-k.media, 0), k.run)*k.ppm/1_000_000
}

func (c *curve) newest() *knot { return c.back(0) }

// back returns the knot that is i before the newest.
func (c *curve) back(i int) *knot { return &c.knots[(c.n-1-i+len(c.knots))%len(c.knots)] }

// jump lets the curve go on with the offset from media on.
func (c *curve) jump(media, offset int64) { c.push(knot{media: media, offset: offset, jump: true}) }

// turn lets the offset change by wrong from media on, at the pace of ppm, and no
// further.
func (c *curve) turn(media, wrong, ppm int64) {
	k := knot{media: media, offset: c.offset(media), ppm: ppm}
	if ppm != 0 {
		k.run = wrong * 1_000_000 / ppm
	}
	c.push(k)
}

func (c *curve) push(k knot) {
	c.knots[c.n%len(c.knots)] = k
	c.n++
}

// offset is that of the newest piece.
func (c *curve) offset(media int64) int64 {
	if c.n == 0 {
		return 0
	}
	return c.newest().at(media)
}

// reference returns the time of a unit of the reference: what comes after a jump in
// decoding order belongs to it, whatever its time.
func (c *curve) reference(media int64) int64 { return c.find(media, true) }

// follow returns the time of a unit of another track.
func (c *curve) follow(media int64) int64 { return c.find(media, false) }

func (c *curve) find(media int64, stopAtJump bool) int64 {
	if c.n == 0 {
		return 0
	}
	var k *knot
	for i := range min(c.n, len(c.knots)) {
		k = c.back(i)
		if k.media <= media || stopAtJump && k.jump {
			break
		}
	}
	return media + k.at(media)
}
