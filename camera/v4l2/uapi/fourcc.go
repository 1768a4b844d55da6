package uapi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// FourCC names a picture format by four characters, the first in the lowest byte
// (v4l2_fourcc).
type FourCC uint32

// bigEndian marks formats that differ from another in the order of bytes alone
// (v4l2_fourcc_be).
const bigEndian FourCC = 1 << 31

// Formats. V4L2 calls them V4L2_PIX_FMT_….
const (
	H264     FourCC = 'H' | '2'<<8 | '6'<<16 | '4'<<24 // Annex B byte stream
	H264NoSC FourCC = 'A' | 'V'<<8 | 'C'<<16 | '1'<<24 // H.264 without start codes
	HEVC     FourCC = 'H' | 'E'<<8 | 'V'<<16 | 'C'<<24 // Annex B byte stream
	MJPG     FourCC = 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24
	JPEG     FourCC = 'J' | 'P'<<8 | 'E'<<16 | 'G'<<24
	MPEG4    FourCC = 'M' | 'P'<<8 | 'G'<<16 | '4'<<24 // MPEG-4 part 2
	VP8      FourCC = 'V' | 'P'<<8 | '8'<<16 | '0'<<24
	VP9      FourCC = 'V' | 'P'<<8 | '9'<<16 | '0'<<24

	YUYV FourCC = 'Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24 // 4:2:2, packed
	YVYU FourCC = 'Y' | 'V'<<8 | 'Y'<<16 | 'U'<<24
	UYVY FourCC = 'U' | 'Y'<<8 | 'V'<<16 | 'Y'<<24
	VYUY FourCC = 'V' | 'Y'<<8 | 'U'<<16 | 'Y'<<24
	NV12 FourCC = 'N' | 'V'<<8 | '1'<<16 | '2'<<24 // 4:2:0, luma, then both chromas interleaved
	NV21 FourCC = 'N' | 'V'<<8 | '2'<<16 | '1'<<24
	NV16 FourCC = 'N' | 'V'<<8 | '1'<<16 | '6'<<24 // 4:2:2, luma, then both chromas interleaved
	NV61 FourCC = 'N' | 'V'<<8 | '6'<<16 | '1'<<24
	YU12 FourCC = 'Y' | 'U'<<8 | '1'<<16 | '2'<<24 // 4:2:0, three parts (I420)
	YV12 FourCC = 'Y' | 'V'<<8 | '1'<<16 | '2'<<24
	P422 FourCC = '4' | '2'<<8 | '2'<<16 | 'P'<<24 // 4:2:2, three parts
	GREY FourCC = 'G' | 'R'<<8 | 'E'<<16 | 'Y'<<24
	Y10  FourCC = 'Y' | '1'<<8 | '0'<<16 | ' '<<24
	Y16  FourCC = 'Y' | '1'<<8 | '6'<<16 | ' '<<24

	RGB3 FourCC = 'R' | 'G'<<8 | 'B'<<16 | '3'<<24 // 3 bytes a pixel: red first
	BGR3 FourCC = 'B' | 'G'<<8 | 'R'<<16 | '3'<<24
	XR24 FourCC = 'X' | 'R'<<8 | '2'<<16 | '4'<<24 // 4 bytes a pixel: blue, green, red, nothing
	AR24 FourCC = 'A' | 'R'<<8 | '2'<<16 | '4'<<24
	RGB4 FourCC = 'R' | 'G'<<8 | 'B'<<16 | '4'<<24
	BGR4 FourCC = 'B' | 'G'<<8 | 'R'<<16 | '4'<<24
	RGBP FourCC = 'R' | 'G'<<8 | 'B'<<16 | 'P'<<24 // 2 bytes a pixel

	// Of multi-planar devices: as NV12, NV21, YU12 and YV12, each part in memory of its own.
	NM12 FourCC = 'N' | 'M'<<8 | '1'<<16 | '2'<<24
	NM21 FourCC = 'N' | 'M'<<8 | '2'<<16 | '1'<<24
	YM12 FourCC = 'Y' | 'M'<<8 | '1'<<16 | '2'<<24
	YM21 FourCC = 'Y' | 'M'<<8 | '2'<<16 | '1'<<24
)

// String is the four characters without spaces behind, with "-BE" for the big-endian
// variant, or "0x…" where they cannot be printed or mean something else. ParseFourCC
// understands it.
func (f FourCC) String() string {
	low := f &^ bigEndian
	s := strings.TrimRight(string([]byte{byte(low), byte(low >> 8), byte(low >> 16), byte(low >> 24)}), " ")
	if f&bigEndian != 0 {
		s += "-BE"
	}
	if back, err := ParseFourCC(s); err != nil || back != f {
		return "0x" + strconv.FormatUint(uint64(f), 16)
	}
	return s
}

// ParseFourCC reads the name of a format: "H264", "Y16", "Y16-BE", "0x34363248". Case
// matters in V4L2's names; for the formats above it does not, nor do the usual names
// H265, MJPEG and I420 need a look into a table.
func ParseFourCC(s string) (FourCC, error) {
	if f, ok := usual(strings.ToUpper(s)); ok {
		return f, nil
	}
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 32)
		if err != nil || n == 0 {
			return 0, errNoFourCC(s)
		}
		return FourCC(n), nil
	}
	name, be := strings.CutSuffix(s, "-BE")
	if len(name) == 0 || len(name) > 4 {
		return 0, errNoFourCC(s)
	}
	for i := range len(name) {
		if name[i] < '!' || name[i] > '~' {
			return 0, errNoFourCC(s)
		}
	}
	f := FourCC(packed(name))
	if be {
		f |= bigEndian
	}
	return f, nil
}

// packed is a name of up to four characters as a number, filled up with spaces.
func packed(name string) (n uint32) {
	for i := range 4 {
		c := byte(' ')
		if i < len(name) {
			c = name[i]
		}
		n |= uint32(c) << (8 * i)
	}
	return n
}

// usual finds a format by the name people use for it.
func usual(upper string) (FourCC, bool) {
	switch upper {
	case "H265", "HEVC":
		return HEVC, true
	case "MJPEG", "MJPG":
		return MJPG, true
	case "I420", "YU12":
		return YU12, true
	}
	for _, f := range []FourCC{
		H264, H264NoSC, JPEG, MPEG4, VP8, VP9, YUYV, YVYU, UYVY, VYUY, NV12, NV21, NV16, NV61, YV12, P422,
		GREY, Y10, Y16, RGB3, BGR3, XR24, AR24, RGB4, BGR4, RGBP, NM12, NM21, YM12, YM21,
	} {
		if len(upper) <= 4 && packed(upper) == uint32(f) {
			return f, true
		}
	}
	return 0, false
}

func errNoFourCC(s string) error {
	if s == "" {
		return errors.New("a format is missing; give its four characters, for example H264 or MJPG")
	}
	return fmt.Errorf("%q is no format; give its four characters, for example H264, MJPG or YUYV", s)
}
