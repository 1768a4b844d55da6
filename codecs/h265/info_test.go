package h265

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs/nal"
)

func TestParseSPS(t *testing.T) {
	tests := []struct {
		name, sps string
		want      Info
	}{
		{"main", spsMain, Info{Width: 1280, Height: 720, Profile: 1, Level: 93, FrameRate: 25, ChromaFormat: 1, BitDepth: 8}},
		{"cropped to 1080 lines, B-frames", spsB, Info{Width: 1920, Height: 1080, Profile: 1, Level: 120, FrameRate: 30, ChromaFormat: 1, BitDepth: 8, MaxReorder: 2}},
		{"main 10", spsMain10, Info{Width: 320, Height: 240, Profile: 2, Level: 60, FrameRate: 25, ChromaFormat: 1, BitDepth: 10, MaxReorder: 2}},
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
			if got.BFramesPossible() != (tt.want.MaxReorder > 0) {
				t.Errorf("B-frames possible: %v", got.BFramesPossible())
			}
		})
	}
}

func TestParseSPS_CutOffInTheVUI(t *testing.T) {
	got, err := ParseSPS(unhex(t, spsMain)[:34])
	if err != nil || got.Width != 1280 || got.FrameRate != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParseSPS_RefusesGarbage(t *testing.T) {
	for _, s := range []string{"", "42", "4201", "420101", ppsMain, spsMain[:40]} {
		if info, err := ParseSPS(unhex(t, s)); !errors.Is(err, nal.ErrMalformed) {
			t.Errorf("%s gives %+v, %v", s, info, err)
		}
	}
}

func FuzzParseSPS(f *testing.F) {
	for _, s := range []string{spsMain, spsB, spsMain10, ""} {
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
			info.FrameRate < 0 || info.FrameRate > maxFrameRate || info.MaxReorder < 0 || info.MaxReorder > maxDPB {
			t.Fatalf("%+v", info)
		}
	})
}
