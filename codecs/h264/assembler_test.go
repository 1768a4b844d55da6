package h264

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// NAL units as short as can be. The PPSs with a number in their name are made
// up: number 1 of SPS 0, and another content of number 0.
//
//nolint:gochecknoglobals // test vectors
var (
	aud      = []byte{0x09, 0x10}
	filler   = []byte{0x0c, 0xff, 0x80}
	endOfSeq = []byte{0x0a}
	sei      = []byte{0x06, 5, 1, 9, 0x80}
	recovery = []byte{0x06, 6, 1, 0x84, 0x80}
	idr      = []byte{0x65, 0b1_0001000, 0b1_0000000}
	idrPPS1  = []byte{0x65, 0b1_0001000, 0b010_00000}
	idrNext  = []byte{0x65, 0b00110_000, 0b1000_1_000}
	p        = []byte{0x41, 0b1_1_1_00000}
	pNext    = []byte{0x41, 0b00110_1_1_0}
	pNonRef  = []byte{0x01, 0b1_1_1_00000}
	b        = []byte{0x01, 0b1_010_1_000}
	pps1     = []byte{0x68, 0b010_1_0000, 0x80}
	pps0New  = []byte{0x68, 0b1_1_000000, 0x80}
)

func TestAssembler(t *testing.T) {
	sps, pps, other := unhex(t, spsBaseline), unhex(t, ppsBaseline), unhex(t, spsHigh)
	type in = [][]byte
	type out = nal.AccessUnit
	tests := []struct {
		name  string
		track codecs.Track
		units []in
		want  []out
	}{
		{"parameter sets in band",
			codecs.Track{}, []in{{aud, sps, pps, sei, idr, idrNext, filler}, {aud, p, pNext, endOfSeq}},
			[]out{{Payload: in{sps, pps, sei, idr, idrNext}, Key: true, Changed: true}, {Payload: in{p, pNext}}}},
		{"parameter sets out of band",
			codecs.Track{SPS: sps, PPS: pps}, []in{{idr}}, []out{{Payload: in{sps, pps, idr}, Key: true}}},
		{"parameter sets sent before",
			codecs.Track{}, []in{{sps, pps, idr}, {p}, {idr}},
			[]out{{Payload: in{sps, pps, idr}, Key: true, Changed: true}, {Payload: in{p}}, {Payload: in{sps, pps, idr}, Key: true}}},
		{"parameter sets twice, and behind other units",
			codecs.Track{}, []in{{sei, pps, sps, pps, sps, idr}},
			[]out{{Payload: in{sps, pps, sei, idr}, Key: true, Changed: true}}},
		{"only the PPS in band",
			codecs.Track{SPS: sps}, []in{{pps, idr}}, []out{{Payload: in{sps, pps, idr}, Key: true, Changed: true}}},
		{"parameter sets under a time stamp of their own",
			codecs.Track{}, []in{{aud, sps, pps, sei}, {idr}, {pps0New}, {p}},
			[]out{{}, {Payload: in{sps, pps, sei, idr}, Key: true, Changed: true}, {}, {Payload: in{pps0New, p}}}},
		{"several PPSs",
			codecs.Track{}, []in{{sps, pps1, pps, idr}}, []out{{Payload: in{sps, pps, pps1, idr}, Key: true, Changed: true}}},
		{"another resolution",
			codecs.Track{SPS: sps, PPS: pps}, []in{{idr}, {other, pps, idr}, {idr}},
			[]out{{Payload: in{sps, pps, idr}, Key: true}, {Payload: in{other, pps, idr}, Key: true, Changed: true}, {Payload: in{other, pps, idr}, Key: true}}},
		{"the previous sequence's PPSs go with it",
			codecs.Track{}, []in{{sps, pps, pps1, idr}, {other, pps, idr}},
			[]out{{Payload: in{sps, pps, pps1, idr}, Key: true, Changed: true}, {Payload: in{other, pps, idr}, Key: true, Changed: true}}},
		{"another SPS, and the PPS out of band stays",
			codecs.Track{SPS: sps, PPS: pps}, []in{{other, idr}}, []out{{Payload: in{other, pps, idr}, Key: true, Changed: true}}},
		{"another PPS in use",
			codecs.Track{SPS: sps, PPS: pps}, []in{{pps1, idrPPS1}}, []out{{Payload: in{sps, pps, pps1, idrPPS1}, Key: true, Changed: true}}},
		{"no parameter sets",
			codecs.Track{}, []in{{idr}, {p}}, []out{{Payload: in{idr}, Undecodable: true}, {Payload: in{p}, Undecodable: true}}},
		{"not referred to",
			codecs.Track{SPS: sps, PPS: pps}, []in{{pNonRef}, {b}, {pNonRef, pNext}},
			[]out{{Payload: in{pNonRef}, Discardable: true}, {Payload: in{b}, Discardable: true, Reordered: true}, {Payload: in{pNonRef, pNext}}}},
		{"intra refresh is not key",
			codecs.Track{}, []in{{sps, pps, recovery, p}},
			[]out{{Payload: in{sps, pps, recovery, p}, RecoveryPoint: true, Changed: true}}},
		{"the rest of a picture",
			codecs.Track{SPS: sps, PPS: pps}, []in{{p}, {pNext}}, []out{{Payload: in{p}}, {Payload: in{pNext}, Continues: true}}},
		{"damaged NAL units are left out",
			codecs.Track{SPS: sps, PPS: pps}, []in{{nil, {0xc1, 0xe0}, {0x41}, {0x1c, 0x85, 1}, {0x67}, p}, {{0x65}}},
			[]out{{Payload: in{p}}, {}}},
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

func TestAssembler_TrackFollowsTheStream(t *testing.T) {
	sps, pps, other := unhex(t, spsBaseline), unhex(t, ppsBaseline), unhex(t, spsHigh)
	a := NewAssembler(codecs.Track{Codec: codecs.H264, ClockRate: 90_000, SPS: sps, PPS: pps})
	a.Assemble([][]byte{other, pps0New, p})
	if d := cmp.Diff(sps, a.Track().SPS); d != "" {
		t.Errorf("changed before a key unit uses it: %s", d)
	}
	a.Assemble([][]byte{idr})
	want := codecs.Track{Codec: codecs.H264, ClockRate: 90_000, SPS: other, PPS: pps0New}
	if d := cmp.Diff(want, a.Track()); d != "" {
		t.Error(d)
	}
}

func TestAssembler_KeepsNoReferenceToParameterSetsReceived(t *testing.T) {
	sps, pps := unhex(t, spsBaseline), unhex(t, ppsBaseline)
	a := NewAssembler(codecs.Track{})
	a.Assemble([][]byte{sps, pps, idr})
	clear(sps)
	clear(pps)
	want := [][]byte{unhex(t, spsBaseline), unhex(t, ppsBaseline), idr}
	if d := cmp.Diff(want, a.Assemble([][]byte{idr}).Payload); d != "" {
		t.Error(d)
	}
}

func TestAssembler_WhatItHoldsBackIsBounded(t *testing.T) {
	a := NewAssembler(codecs.Track{})
	big := append([]byte{0x06, 5}, bytes.Repeat([]byte{1}, 10_000)...)
	for range 100 {
		a.Assemble([][]byte{big})
	}
	size := 0
	for _, u := range a.Assemble([][]byte{p}).Payload {
		size += len(u)
	}
	if size > 64<<10+len(p) {
		t.Errorf("held back %d bytes", size)
	}
}

// FuzzAssembler feeds byte streams, cut into units at delimiters.
func FuzzAssembler(f *testing.F) {
	sps, pps := unhex(f, spsBaseline), unhex(f, ppsBaseline)
	join := func(units ...[]byte) []byte { return bytes.Join(append([][]byte{nil}, units...), []byte{0, 0, 1}) }
	f.Add(join(aud, sps, pps, sei, idr, idrNext, aud, p, aud, b))
	f.Add(join(sps, aud, pps, pps1, aud, recovery, idrPPS1, aud, pps0New, aud, idr))
	f.Fuzz(func(t *testing.T, stream []byte) {
		units, _ := SplitAnnexB(stream)
		a := NewAssembler(codecs.Track{})
		var list [][]byte
		check := func() {
			checkUnit(t, a, a.Assemble(list))
			list = nil
		}
		for _, u := range units {
			if TypeOf(u) == AccessUnitDelim {
				check()
			}
			list = append(list, u)
		}
		check()
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
	if au.Key && (TypeOf(au.Payload[0]) != SPS || TypeOf(au.Payload[1]) != PPS || au.Undecodable || au.Discardable) {
		t.Fatalf("bad key unit %x", au.Payload)
	}
	sps, pictures := 0, 0
	for _, u := range au.Payload {
		switch k := TypeOf(u); {
		case k == SPS:
			sps++
		case k.VCL():
			pictures++
		case k != SEI && k != PPS:
			t.Fatalf("a unit of type %d came through", k)
		}
	}
	if pictures == 0 || au.Key && (sps != 1 || !bytes.Equal(a.Track().SPS, au.Payload[0])) {
		t.Fatalf("%d pictures, %d SPSs", pictures, sps)
	}
}
