package mediasign

import (
	"crypto/sha256"
	"time"
)

// piece is a GOP, or a part of one, that is being collected for a document. Times
// are microseconds since 1970.
type piece struct {
	start, last int64
	// step is the time between the two newest pictures.
	step   int64
	most   int64 // the longest such time
	hashes [][hashSize]byte
	// first is the hash of the first picture, which the next document names.
	first [hashSize]byte
	side  sideDigest
}

func newPiece(at int64) *piece {
	const usual = 40_000 // until two pictures show what it is
	return &piece{start: at, last: at, step: usual, side: newSideDigest()}
}

// picture takes in a picture's NAL unit.
func (p *piece) picture(hash [hashSize]byte, side []sideUnit) {
	if len(p.hashes) == 0 {
		p.first = hash
	}
	p.side.add(len(p.hashes), side)
	p.hashes = append(p.hashes, hash)
}

// tick notes the time of a picture.
func (p *piece) tick(at int64) {
	const longest = 10_000_000
	if d := at - p.last; d > 0 {
		p.step, p.last = min(d, longest), at
		p.most = max(p.most, d)
	}
}

// longest returns the longest time between two pictures, up to the one at next.
func (p *piece) longest(next int64) time.Duration {
	return time.Duration(max(p.most, next-p.last)) * time.Microsecond
}

// bundle returns the hash of a list of hashes.
func bundle(hashes [][hashSize]byte) (sum [hashSize]byte) {
	h := sha256.New()
	for i := range hashes {
		h.Write(hashes[i][:])
	}
	h.Sum(sum[:0])
	return sum
}
