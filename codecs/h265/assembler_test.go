package h265

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// NAL units as short as can be.
//
//nolint:gochecknoglobals // test vectors
var (
	aud        = []byte{35 << 1, 1, 0x50}
	filler     = []byte{38 << 1, 1, 0xff, 0x80}
	prefixSEI  = []byte{39 << 1, 1, 5, 1, 9, 0x80}
	suffixSEI  = []byte{40 << 1, 1, 5, 1, 9, 0x80}
	idr        = []byte{20 << 1, 1, 0b1_0_1_00000}
	idrNext    = []byte{20 << 1, 1, 0b0_0_1_00000}
	cra        = []byte{21 << 1, 1, 0b1_0_1_00000}
	trailR     = []byte{1 << 1, 1, 0b1_1_000000}
	trailN     = []byte{0, 1, 0b1_1_000000}
	raslN      = []byte{8 << 1, 1, 0b1_1_000000}
	upperLayer = []byte{1 << 1, 1<<3 | 1, 0b1_1_000000}
)

func TestAssembler(t *testing.T) {
	vps, sps, pps, other := unhex(t, vpsMain), unhex(t, spsMain), unhex(t, ppsMain), unhex(t, spsB)
	type in = [][]byte
	type out = nal.AccessUnit
	known := codecs.Track{VPS: vps, SPS: sps, PPS: pps}
	tests := []struct {
		name  string
		track codecs.Track
		units []in
		want  []out
	}{
		{"parameter sets in band",
			codecs.Track{}, []in{{aud, vps, sps, pps, prefixSEI, idr, idrNext, suffixSEI, filler}, {aud, trailR}},
			[]out{{Payload: in{vps, sps, pps, prefixSEI, idr, idrNext, suffixSEI}, Key: true, Changed: true}, {Payload: in{trailR}}}},
		{"parameter sets out of band",
			known, []in{{idr}, {cra}}, []out{{Payload: in{vps, sps, pps, idr}, Key: true}, {Payload: in{vps, sps, pps, cra}, Key: true}}},
		{"parameter sets under time stamps of their own",
			codecs.Track{}, []in{{vps}, {sps}, {pps}, {idr}}, []out{{}, {}, {}, {Payload: in{vps, sps, pps, idr}, Key: true, Changed: true}}},
		{"another resolution",
			known, []in{{vps, other, pps, idr}}, []out{{Payload: in{vps, other, pps, idr}, Key: true, Changed: true}}},
		{"no VPS", codecs.Track{SPS: sps, PPS: pps}, []in{{idr}}, []out{{Payload: in{idr}, Undecodable: true}}},
		{"no parameter sets", codecs.Track{}, []in{{idr}}, []out{{Payload: in{idr}, Undecodable: true}}},
		{"pictures not referred to, leading pictures",
			known, []in{{trailN}, {raslN}}, []out{{Payload: in{trailN}, Discardable: true}, {Payload: in{raslN}, Discardable: true, Reordered: true}}},
		{"the rest of a picture", known, []in{{idrNext}}, []out{{Payload: in{vps, sps, pps, idrNext}, Key: true, Continues: true}}},
		{"damaged NAL units and upper layers are left out",
			known, []in{{nil, {2}, {0x82, 1, 0xc0}, upperLayer, {48 << 1, 1, 1}, {33 << 1, 1}, trailR}}, []out{{Payload: in{trailR}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := NewAssembler(tt.track)
			var got []out
			for _, u := range tt.units {
				got = append(got, a.Assemble(u))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// FuzzAssembler feeds byte streams, cut into units at delimiters.
func FuzzAssembler(f *testing.F) {
	vps, sps, pps := unhex(f, vpsMain), unhex(f, spsMain), unhex(f, ppsMain)
	join := func(units ...[]byte) []byte { return bytes.Join(append([][]byte{nil}, units...), []byte{0, 0, 1}) }
	f.Add(join(aud, vps, sps, pps, prefixSEI, idr, idrNext, suffixSEI, aud, trailR, aud, raslN))
	f.Add(join(vps, sps, aud, pps, aud, cra, aud, upperLayer, unhex(f, spsB), aud, idr))
	f.Fuzz(func(t *testing.T, stream []byte) {
		units, _ := SplitAnnexB(stream)
		a := NewAssembler(codecs.Track{})
		var list [][]byte
		for _, u := range units {
			if TypeOf(u) == AccessUnitDelim {
				checkUnit(t, a, a.Assemble(list))
				list = nil
			}
			list = append(list, u)
		}
		checkUnit(t, a, a.Assemble(list))
	})
}

func checkUnit(t *testing.T, a *nal.Assembler, au nal.AccessUnit) {
	t.Helper()
	if len(au.Payload) == 0 {
		if d := cmp.Diff(nal.AccessUnit{}, au); d != "" {
			t.Fatalf("empty unit: %s", d)
		}
		return
	}
	sps, pictures := 0, 0
	for _, u := range au.Payload {
		switch k := TypeOf(u); {
		case k == SPS:
			sps++
		case k.VCL():
			pictures++
		case k != PrefixSEI && k != SuffixSEI && k != PPS && k != VPS:
			t.Fatalf("a unit of type %d came through", k)
		}
	}
	if pictures == 0 || au.Key && (sps != 1 || au.Undecodable || !IsKey(au.Payload) || a.Track().SPS == nil) {
		t.Fatalf("%d pictures, %d SPSs in %x", pictures, sps, au.Payload)
	}
}
