package h264

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
		{"IDR, all slices I", []byte{0x65, 0b1000_1000, 0b1000_0000}, SliceHeader{0, I, 0}},
		{"P, PPS 1", []byte{0x41, 0b1_1_010_000}, SliceHeader{0, P, 1}},
		{"B", []byte{0x01, 0b1_010_1_000}, SliceHeader{0, B, 0}},
		{"second slice", []byte{0x41, 0b00110_1_1_0}, SliceHeader{5, P, 0}},
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
	for _, u := range [][]byte{nil, {0x65}, {0x65, 0}, {0x67, 0x88, 0x80}, {0x65, 0b1_0001011, 0x80}, {0x65, 0, 0, 3, 0, 0, 3, 0, 0}} {
		if h, err := ParseSlice(u); !errors.Is(err, nal.ErrMalformed) {
			t.Errorf("%x gives %+v, %v", u, h, err)
		}
	}
}

func TestIsKeyAndIsDiscardable(t *testing.T) {
	tests := []struct {
		name             string
		units            [][]byte
		key, discardable bool
	}{
		{"IDR", [][]byte{{0x67}, {0x68}, {0x06}, {0x65}, {0x65}}, true, false},
		{"IDR field and a predicted field", [][]byte{{0x65}, {0x41}}, true, false},
		{"referred to", [][]byte{{0x41}}, false, false},
		{"not referred to", [][]byte{{0x06}, {0x01}, {0x01}}, false, true},
		{"one slice referred to", [][]byte{{0x01}, {0x21}}, false, false},
		{"IDR marked as not referred to", [][]byte{{0x05}}, true, false},
		{"no picture", [][]byte{{0x67}, nil}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if k, d := IsKey(tt.units), IsDiscardable(tt.units); k != tt.key || d != tt.discardable {
				t.Errorf("key %v, discardable %v", k, d)
			}
		})
	}
}

func FuzzParseSlice(f *testing.F) {
	f.Add([]byte{0x65, 0x88, 0x80})
	f.Add([]byte{0x41, 0, 0, 3, 1})
	f.Fuzz(func(t *testing.T, unit []byte) {
		h, err := ParseSlice(unit)
		if err == nil && (h.Type > SI || h.PPS > 255 || h.Type.String() == "unknown") {
			t.Fatalf("%+v", h)
		}
	})
}
