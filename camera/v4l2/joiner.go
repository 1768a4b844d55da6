package v4l2

import (
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
)

// Limits of a picture that is spread over several buffers.
const (
	maxPictureBytes = 8 << 20
	maxPictureUnits = 1024
)

// picture is the NAL units of one picture.
type picture struct {
	units [][]byte
	bytes int
	at    stamp
}

// joiner makes pictures of buffers. Nearly all drivers put one picture into one
// buffer, and it is handed on at once. Some put several there; some spread one over
// several, which shows when a buffer begins in the middle of a picture: from then on
// a picture waits for the buffer after it.
type joiner struct {
	codec codecs.Codec // constant

	begun   bool // a picture was seen
	spread  bool // pictures are spread over buffers
	whole   int  // buffers since one that began in the middle of a picture
	held    picture
	holding bool
}

// forget is how many buffers in a row have to begin with a picture before pictures
// are no longer held.
const forget = 300

// add takes the NAL units of a buffer. torn says that a picture was handed on, or is
// lost, whose rest came now.
func (j *joiner) add(units [][]byte, at stamp) (done []picture, torn bool) {
	for len(units) > 0 {
		n, continues := j.next(units)
		p := picture{units: units[:n:n], at: at}
		for _, u := range p.units {
			p.bytes += len(u)
		}
		units = units[n:]
		if !continues {
			done = j.release(done)
			j.held, j.holding = p, true
			continue
		}
		torn = torn || !j.extend(p)
	}
	if j.whole++; j.whole > forget {
		j.spread = false
	}
	if !j.spread {
		done = j.release(done)
	}
	return done, torn
}

func (j *joiner) release(done []picture) []picture {
	if j.holding {
		done = append(done, j.held)
		j.begun = true
	}
	j.held, j.holding = picture{}, false
	return done
}

// extend joins the rest of a picture to what is held, and reports whether it could.
func (j *joiner) extend(p picture) bool {
	j.whole = 0
	if !j.holding {
		j.spread = j.begun // else the stream was joined in the middle of a picture
		return !j.begun
	}
	if j.held.bytes+p.bytes > maxPictureBytes || len(j.held.units)+len(p.units) > maxPictureUnits {
		j.held, j.holding = picture{}, false
		return false
	}
	j.held.units = append(j.held.units, p.units...)
	j.held.bytes += p.bytes
	return true
}

// next returns how many of the units belong to the first picture among them, and
// whether it began in an earlier buffer. Rules of ITU-T H.264 §7.4.1.2.3 and H.265
// §7.4.2.4.4, as far as cameras need them.
func (j *joiner) next(units [][]byte) (n int, continues bool) {
	slices := 0
	for i, u := range units {
		slice, first := j.slice(u)
		switch {
		case slice && first && slices > 0, !slice && slices > 0 && j.begins(u):
			return i, continues
		case slice:
			if slices == 0 && i == 0 {
				continues = !first
			}
			slices++
		}
	}
	return len(units), continues
}

// slice reports whether a NAL unit is a part of a picture, and its first one.
func (j *joiner) slice(u []byte) (slice, first bool) {
	if j.codec == codecs.H265 {
		if len(u) < 3 || !h265.TypeOf(u).VCL() {
			return false, false
		}
		return true, u[2]&0x80 != 0 // first_slice_segment_in_pic_flag
	}
	if len(u) < 2 {
		return false, false
	}
	t := h264.TypeOf(u)
	return t.VCL(), t != h264.PartitionB && t != h264.PartitionC && u[1]&0x80 != 0 // first_mb_in_slice is 0
}

// shows reports whether there is a picture among the NAL units, which may be a delimiter
// or parameter sets alone.
func (j *joiner) shows(p picture) bool {
	for _, u := range p.units {
		if slice, _ := j.slice(u); slice {
			return true
		}
	}
	return false
}

// begins reports whether a NAL unit that is no slice belongs to the next picture.
func (j *joiner) begins(u []byte) bool {
	if j.codec == codecs.H265 {
		t := h265.TypeOf(u)
		return t >= h265.VPS && t <= h265.AccessUnitDelim || t == h265.PrefixSEI
	}
	t := h264.TypeOf(u)
	return t >= h264.SEI && t <= h264.AccessUnitDelim
}
