package rtppack

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	pion "github.com/pion/rtp/codecs"

	"github.com/sightline-cam/sightline/codecs"
)

// randomNAL returns a valid NAL unit of n bytes without zeros, so that it
// survives a detour through Annex B.
func randomNAL(r *rand.Rand, c codecs.Codec, n int) []byte {
	nal := make([]byte, max(n, 3))
	for i := range nal {
		nal[i] = byte(1 + r.IntN(255))
	}
	if c == codecs.H264 {
		nal[0] = byte(r.IntN(4)<<5 | 1 + r.IntN(12))
	} else {
		nal[0] = byte(r.IntN(41) << 1)
		nal[1] = byte(1 + r.IntN(3))
	}
	return nal
}

// randomNALs returns a list of NAL units of sizes around the interesting ones.
func randomNALs(r *rand.Rand, c codecs.Codec) [][]byte {
	nals := make([][]byte, 1+r.IntN(12))
	for i := range nals {
		n := []int{3 + r.IntN(60), r.IntN(MaxPayload), MaxPayload - 4 + r.IntN(9), r.IntN(40_000)}[r.IntN(4)]
		nals[i] = randomNAL(r, c, n)
	}
	return nals
}

func annexB(nals [][]byte) []byte {
	var b bytes.Buffer
	for _, nal := range nals {
		b.Write([]byte{0, 0, 0, 1})
		b.Write(nal)
	}
	return b.Bytes()
}

func TestPack_OtherImplementationReadsTheSameNALUnits(t *testing.T) {
	for _, c := range []codecs.Codec{codecs.H264, codecs.H265} {
		t.Run(c.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(c)))
			for range 150 {
				nals := randomNALs(r, c)
				var reader interface {
					Unmarshal([]byte) ([]byte, error)
				} = &pion.H264Packet{}
				if c == codecs.H265 {
					reader = &pion.H265Depacketizer{}
				}
				var got []byte
				for _, p := range Pack(c, &codecs.Unit{Payload: nals}) {
					if len(p) > MaxPayload {
						t.Fatalf("payload of %d bytes", len(p))
					}
					b, err := reader.Unmarshal(p)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, b...)
				}
				if !bytes.Equal(got, annexB(nals)) {
					t.Fatalf("NAL units of sizes %v came back changed", sizes(nals))
				}
			}
		})
	}
}

func TestPack_LeavesTheUnitAsItWas(t *testing.T) {
	for _, c := range []codecs.Codec{codecs.H264, codecs.H265} {
		r := rand.New(rand.NewPCG(2, uint64(c)))
		for range 50 {
			nals := randomNALs(r, c)
			before := annexB(nals)
			Pack(c, &codecs.Unit{Payload: nals})
			if !bytes.Equal(before, annexB(nals)) {
				t.Fatal("the unit's payload was changed")
			}
		}
	}
}

func TestPack_PacketSizes(t *testing.T) {
	nal := func(size int) []byte { return append([]byte{0x65}, make([]byte, size-1)...) }
	tests := []struct {
		name  string
		codec codecs.Codec
		nals  [][]byte
		want  []int
	}{
		{"one slice that fits exactly", codecs.H264, [][]byte{nal(1188)}, []int{1188}},
		{"one byte more", codecs.H264, [][]byte{nal(1189)}, []int{1188, 4}},
		{"a frame of one slice is one run of equal packets", codecs.H264, [][]byte{nal(1 + 4*1186 + 100)}, []int{1188, 1188, 1188, 1188, 102}},
		{"parameter sets share a packet", codecs.H264, [][]byte{nal(20), nal(4), nal(3000)}, []int{1 + 22 + 6, 1188, 1188, 2 + 627}},
		{"small slices share packets", codecs.H264, [][]byte{nal(500), nal(500), nal(500)}, []int{1005, 500}},
		{"an aggregate of exactly the limit", codecs.H264, [][]byte{nal(1000), nal(183), nal(9)}, []int{1188, 9}},
		{"empty and reserved NAL units are left out", codecs.H264, [][]byte{nil, {0x1c, 1}, {0}, nal(9)}, []int{9}},
		{"nothing to send", codecs.H264, [][]byte{nil}, nil},
		{"no NAL units", codecs.H265, nil, nil},
		{"H.265 fragments", codecs.H265, [][]byte{append([]byte{1 << 1, 1}, make([]byte, 2*1185+10)...)}, []int{1188, 1188, 13}},
		{"H.265 parameter sets", codecs.H265, [][]byte{{32 << 1, 1, 1}, {33 << 1, 1, 1}, {34 << 1, 1, 1}}, []int{2 + 3*5}},
		{"Opus", codecs.Opus, [][]byte{make([]byte, 80)}, []int{80}},
		{"G.711 too long for a packet", codecs.PCMU, [][]byte{make([]byte, 1200)}, nil},
		{"empty audio", codecs.PCMA, [][]byte{{}}, nil},
		{"AAC has no live mapping", codecs.AAC, [][]byte{make([]byte, 80)}, nil},
		{"unknown codec", codecs.Unknown, [][]byte{make([]byte, 80)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, sizes(Pack(tt.codec, &codecs.Unit{Payload: tt.nals}))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPack_HeadersFollowTheRFCs(t *testing.T) {
	big := func(header ...byte) []byte { return append(header, make([]byte, 2000)...) }
	tests := []struct {
		name  string
		codec codecs.Codec
		nals  [][]byte
		want  []string
	}{
		{"STAP-A takes the highest NRI", codecs.H264, [][]byte{{0x27, 1}, {0x68, 1}, {0x06, 1}}, []string{"780002"}},
		{"FU-A", codecs.H264, [][]byte{big(0x65)}, []string{"7c8500", "7c4500"}},
		{"AP takes the lowest layer and TID", codecs.H265, [][]byte{{33 << 1, 0x0b, 9}, {34 << 1, 0x02, 9}}, []string{"600200"}},
		{"FU", codecs.H265, [][]byte{big(19<<1, 1)}, []string{"620193", "620153"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range Pack(tt.codec, &codecs.Unit{Payload: tt.nals}) {
				got = append(got, fmt.Sprintf("%x", p[:3]))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPack_SingleNALUnitIsNotCopied(t *testing.T) {
	nal := []byte{0x41, 1, 2, 3}
	if p := Pack(codecs.H264, &codecs.Unit{Payload: [][]byte{nal}}); &p[0][0] != &nal[0] {
		t.Error("a NAL unit that travels alone was copied")
	}
}

func TestPack_AllocatesTwicePerFrame(t *testing.T) {
	u := keyFrame()
	if n := testing.AllocsPerRun(100, func() { Pack(codecs.H264, u) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

func sizes(payloads [][]byte) []int {
	var n []int
	for _, p := range payloads {
		n = append(n, len(p))
	}
	return n
}

// keyFrame is a key frame as a camera of 2 Mbit/s sends it.
func keyFrame() *codecs.Unit {
	nal := func(header byte, size int) []byte { return append([]byte{header}, make([]byte, size-1)...) }
	return &codecs.Unit{Payload: [][]byte{nal(0x67, 24), nal(0x68, 5), nal(0x06, 30), nal(0x65, 60_000)}}
}

func BenchmarkPack(b *testing.B) {
	for name, u := range map[string]*codecs.Unit{
		"key frame 60 kB": keyFrame(),
		"P frame 8 kB":    {Payload: [][]byte{append([]byte{0x41}, make([]byte, 8000)...)}},
		"P frame 800 B":   {Payload: [][]byte{append([]byte{0x41}, make([]byte, 800)...)}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(u.Size()))
			for b.Loop() {
				Pack(codecs.H264, u)
			}
		})
	}
}
