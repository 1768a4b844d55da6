package h265

import (
	"errors"
	"testing"

	"github.com/sightline-cam/sightline/codecs/nal"
)

func TestParseSlice(t *testing.T) {
	tests := []struct {
		name string
		unit []byte
		want SliceHeader
	}{
		{"IDR", []byte{20 << 1, 1, 0b1_0_1_00000}, SliceHeader{true, 0}},
		{"IDR, PPS 2", []byte{20 << 1, 1, 0b1_1_011_000}, SliceHeader{true, 2}},
		{"trailing", []byte{1 << 1, 1, 0b1_1_000000}, SliceHeader{true, 0}},
		{"second slice segment", []byte{1 << 1, 1, 0b0_1_000000}, SliceHeader{false, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseSlice(tt.unit)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestParseSlice_RefusesGarbage(t *testing.T) {
	for _, u := range [][]byte{nil, {2}, {2, 1}, {2, 1, 0}, {33 << 1, 1, 0xff}, {2, 1, 0x80, 0x80, 0x80}} {
		if h, err := ParseSlice(u); !errors.Is(err, nal.ErrMalformed) {
			t.Errorf("%x gives %+v, %v", u, h, err)
		}
	}
}

func TestIsKeyAndIsDiscardable(t *testing.T) {
	unit := func(k NALType, temporalID byte) []byte { return []byte{byte(k) << 1, temporalID + 1} }
	tests := []struct {
		name             string
		units            [][]byte
		highest          int
		key, discardable bool
	}{
		{"IDR", [][]byte{unit(VPS, 0), unit(IDRNLP, 0)}, 0, true, false},
		{"CRA", [][]byte{unit(CRA, 0)}, 0, true, false},
		{"referred to", [][]byte{unit(TrailR, 0)}, 0, false, false},
		{"not referred to", [][]byte{unit(TrailN, 0), unit(TrailN, 0)}, 0, false, true},
		{"referred to by a higher sub-layer only", [][]byte{unit(TrailN, 0)}, 1, false, false},
		{"of the highest sub-layer", [][]byte{unit(TSAN, 1)}, 1, false, true},
		{"no picture", [][]byte{unit(SPS, 0), {}}, 0, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if k, d := IsKey(tt.units), IsDiscardable(tt.units, tt.highest); k != tt.key || d != tt.discardable {
				t.Errorf("key %v, discardable %v", k, d)
			}
		})
	}
	if n := HighestTemporalID(unhex(t, spsMain)); n != 0 {
		t.Errorf("highest sub-layer %d of an SPS with one", n)
	}
}

func FuzzParseSlice(f *testing.F) {
	f.Add([]byte{20 << 1, 1, 0xb0})
	f.Add([]byte{2, 1, 0xc0})
	f.Fuzz(func(t *testing.T, unit []byte) {
		if h, err := ParseSlice(unit); err == nil && h.PPS > maxPPS {
			t.Fatalf("%+v", h)
		}
	})
}
