package testpattern

import (
	"errors"
	"fmt"
	"image"
	"time"
)

// Geometry of the stamp in luma samples, at the picture's top left corner.
const (
	// StampWidth is the width of the stamp.
	StampWidth = stampColumns * stampCell
	// StampHeight is the height of the stamp.
	StampHeight = stampRows * stampCell

	stampColumns = 40
	stampRows    = 2
	stampCell    = 16
	stampBytes   = stampColumns * stampRows / 8
)

// StampResolution is the resolution of a stamp's time. It is 9 ticks of the 90
// kHz clock of video.
const StampResolution = 100 * time.Microsecond

// ErrNoStamp is wrapped by the errors of ReadStamp and ReadStampImage: the
// picture shows no stamp, or not one that can be trusted.
var ErrNoStamp = errors.New("testpattern: no stamp in the picture")

// Stamp is what a program reads in a test picture.
type Stamp struct {
	// Time is when the picture was captured, UTC, a multiple of
	// StampResolution since the Unix epoch.
	Time time.Time
	// Counter is the number of the frame modulo 2^24; it rises by one from
	// frame to frame.
	Counter uint32
}

// stampTicks returns t in units of StampResolution since the Unix epoch,
// rounded down, within the 48 bits of a stamp.
func stampTicks(t time.Time) int64 {
	ticks := t.Unix()*int64(time.Second/StampResolution) + int64(t.Nanosecond())/int64(StampResolution)
	return min(max(ticks, 0), 1<<48-1)
}

// StampTime returns t as a stamp tells it: rounded down to StampResolution,
// UTC, not before the Unix epoch.
func StampTime(t time.Time) time.Time { return ticksTime(stampTicks(t)) }

func ticksTime(ticks int64) time.Time {
	perSecond := int64(time.Second / StampResolution)
	return time.Unix(ticks/perSecond, ticks%perSecond*int64(StampResolution)).UTC()
}

// marshal returns the 80 bits of the stamp: 48 of time, 24 of counter, 8 of
// checksum, most significant first.
func (s Stamp) marshal() [stampBytes]byte {
	t, c := stampTicks(s.Time), s.Counter
	b := [stampBytes]byte{
		byte(t >> 40), byte(t >> 32), byte(t >> 24), byte(t >> 16), byte(t >> 8), byte(t),
		byte(c >> 16), byte(c >> 8), byte(c),
	}
	b[stampBytes-1] = crc8(b[:stampBytes-1])
	return b
}

// unmarshalStamp is the inverse of marshal.
func unmarshalStamp(b [stampBytes]byte) (Stamp, error) {
	if sum := crc8(b[:stampBytes-1]); sum != b[stampBytes-1] {
		return Stamp{}, fmt.Errorf("%w: checksum %#02x, want %#02x", ErrNoStamp, b[stampBytes-1], sum)
	}
	t := int64(b[0])<<40 | int64(b[1])<<32 | int64(b[2])<<24 | int64(b[3])<<16 | int64(b[4])<<8 | int64(b[5])
	return Stamp{Time: ticksTime(t), Counter: uint32(b[6])<<16 | uint32(b[7])<<8 | uint32(b[8])}, nil
}

// ReadStamp reads the stamp of a decoded picture. luma holds the luma samples
// of the picture's rows, stride bytes apart; width and height are the
// picture's size. The picture must have its original size. Errors wrap
// ErrNoStamp.
func ReadStamp(luma []byte, stride, width, height int) (Stamp, error) {
	if width < StampWidth || height < StampHeight || stride < width || stride > len(luma) ||
		len(luma)-stride*(StampHeight-1) < StampWidth {
		return Stamp{}, fmt.Errorf("%w: a picture of %dx%d (stride %d, %d bytes) is too small",
			ErrNoStamp, width, height, stride, len(luma))
	}
	return readCells(func(x, y int) int { return int(luma[y*stride+x]) })
}

// ReadStampImage reads the stamp of a picture in any colour model, for example
// of a screenshot. The stamp must stand at the top left corner of the image's
// bounds in its original size. Errors wrap ErrNoStamp.
func ReadStampImage(img image.Image) (Stamp, error) {
	b := img.Bounds()
	if b.Dx() < StampWidth || b.Dy() < StampHeight {
		return Stamp{}, fmt.Errorf("%w: a picture of %dx%d is too small", ErrNoStamp, b.Dx(), b.Dy())
	}
	return readCells(func(x, y int) int {
		r, g, b, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
		return int((r + 2*g + b) / 4 >> 8)
	})
}

// readCells reads the stamp by the brightness (0 to 255) of the four samples
// in the middle of each cell.
func readCells(at func(x, y int) int) (Stamp, error) {
	var b [stampBytes]byte
	for i := range stampColumns * stampRows {
		x, y := i%stampColumns*stampCell+stampCell/2, i/stampColumns*stampCell+stampCell/2
		if at(x, y)+at(x-1, y)+at(x, y-1)+at(x-1, y-1) >= 4*128 {
			b[i/8] |= 0x80 >> (i % 8)
		}
	}
	return unmarshalStamp(b)
}

// crc8 returns the CRC-8 with polynomial 0x07 and initial value 0xFF.
func crc8(b []byte) byte {
	crc := byte(0xFF)
	for _, v := range b {
		crc ^= v
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x07
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
