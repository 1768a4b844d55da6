package h264

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs/nal"
)

func TestParseSPS(t *testing.T) {
	tests := []struct {
		name, sps      string
		want           Info
		profileLevelID string
	}{
		{"baseline", spsBaseline, Info{
			Width: 1280, Height: 720, Profile: 66, Constraints: 0xc0, Level: 31, FrameRate: 25, ChromaFormat: 1, BitDepth: 8,
		}, "42c01f"},
		{"high, cropped to 1080 lines, B-frames", spsHigh, Info{
			Width: 1920, Height: 1080, Profile: 100, Level: 40, FrameRate: 30, ChromaFormat: 1, BitDepth: 8, MaxReorder: 1,
		}, "640028"},
		{"interlaced", spsInterlaced, Info{
			Width: 720, Height: 576, Profile: 77, Constraints: 0x40, Level: 30, FrameRate: 25, Interlaced: true, ChromaFormat: 1, BitDepth: 8,
		}, "4d401e"},
		{"4:0:0, cropped", spsGray, Info{
			Width: 322, Height: 242, Profile: 100, Level: 13, FrameRate: 25, BitDepth: 8, MaxReorder: 2,
		}, "64000d"},
		{"4:4:4, cropped", spsYUV444, Info{
			Width: 322, Height: 242, Profile: 244, Level: 13, FrameRate: 25, ChromaFormat: 3, BitDepth: 8, MaxReorder: 2,
		}, "f4000d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseSPS(unhex(t, tt.sps))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if id := got.ProfileLevelID(); id != tt.profileLevelID {
				t.Errorf("profile-level-id %s", id)
			}
		})
	}
}

func TestParseSPS_WithoutVUIReorderingIsUnknown(t *testing.T) {
	// The same as spsHigh, cut off in the VUI.
	got, err := ParseSPS(unhex(t, spsHigh)[:14])
	if err != nil {
		t.Fatal(err)
	}
	if got.Width != 1920 || got.MaxReorder != -1 || !got.BFramesPossible() {
		t.Errorf("%+v", got)
	}
}

func TestParseSPS_RefusesGarbage(t *testing.T) {
	for _, s := range []string{"", "67", "6742", "68ce0fc8", "6742c01fff", "6742c01fda"} {
		if info, err := ParseSPS(unhex(t, s)); !errors.Is(err, nal.ErrMalformed) {
			t.Errorf("%s gives %+v, %v", s, info, err)
		}
	}
}

func FuzzParseSPS(f *testing.F) {
	for _, s := range []string{spsBaseline, spsHigh, spsInterlaced, spsGray, spsYUV444, ""} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, unit []byte) {
		info, err := ParseSPS(unit)
		if err != nil {
			if !errors.Is(err, nal.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if info.Width < 1 || info.Width > maxSide || info.Height < 1 || info.Height > maxSide ||
			info.FrameRate < 0 || info.FrameRate > maxFrameRate || info.MaxReorder < -1 || info.MaxReorder > maxDPBFrames {
			t.Fatalf("%+v", info)
		}
		if len(info.ProfileLevelID()) != 6 {
			t.Fatal(info.ProfileLevelID())
		}
	})
}
