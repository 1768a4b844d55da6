package uapi_test

import (
	"testing"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

func TestFourCC_TextsAreReadAsTheyAreWritten(t *testing.T) {
	for f, want := range map[uapi.FourCC]string{
		uapi.H264:                        "H264",
		uapi.Y10:                         "Y10",
		uapi.Y16 | 1<<31:                 "Y16-BE",
		0:                                "0x0",
		0x20202020:                       "0x20202020",
		0x34322020:                       "0x34322020", // begins with spaces
		0x00363248:                       "0x363248",
		0xffffffff:                       "0xffffffff",
		0x41204241:                       "0x41204241", // a space between
		'p' | 'B'<<8 | 'A'<<16 | 'A'<<24: "pBAA",
	} {
		got := f.String()
		if got != want {
			t.Errorf("%#x is %q, want %q", uint32(f), got, want)
		}
		back, err := uapi.ParseFourCC(got)
		if f != 0 && (err != nil || back != f) {
			t.Errorf("%q is read as %v, %v; want %#x", got, back, err, uint32(f))
		}
	}
}

func TestParseFourCC_KnowsWhatPeopleWrite(t *testing.T) {
	for s, want := range map[string]uapi.FourCC{
		"h264": uapi.H264, "H265": uapi.HEVC, "hevc": uapi.HEVC, "mjpeg": uapi.MJPG, "yuyv": uapi.YUYV,
		"I420": uapi.YU12, "avc1": uapi.H264NoSC, "Y16": uapi.Y16, "pBAA": 'p' | 'B'<<8 | 'A'<<16 | 'A'<<24,
	} {
		if got, err := uapi.ParseFourCC(s); err != nil || got != want {
			t.Errorf("%q is read as %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "H264X", "H 64", "0x", "0x0", "0x1ffffffff", "-BE", "\x00\x01", "日本", "MJPG-LE"} {
		if got, err := uapi.ParseFourCC(s); err == nil {
			t.Errorf("%q is read as %v, want an error", s, got)
		}
	}
}

func FuzzFourCC(f *testing.F) {
	f.Add(uint32(uapi.H264))
	f.Add(uint32(uapi.Y16) | 1<<31)
	f.Add(uint32(0x45422d59))
	f.Fuzz(func(t *testing.T, n uint32) {
		if n == 0 {
			return
		}
		c := uapi.FourCC(n)
		for i := range len(c.String()) {
			if b := c.String()[i]; b < ' ' || b > '~' {
				t.Errorf("%#x is written %q", n, c)
			}
		}
		if got, err := uapi.ParseFourCC(c.String()); err != nil || got != c {
			t.Errorf("%q of %#x is read as %#x, %v", c, n, uint32(got), err)
		}
	})
}
