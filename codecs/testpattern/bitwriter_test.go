package testpattern

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBitWriter_ExpGolomb(t *testing.T) {
	// ITU-T H.264 table 9-2 and 9-3.
	var w bitWriter
	for _, v := range []uint32{0, 1, 2, 3, 7} {
		w.ue(v) // 1 010 011 00100 0001000
	}
	for _, v := range []int32{0, 1, -1, 2, -2} {
		w.se(v) // 1 010 011 00100 00101
	}
	w.trailing() // 1 0…
	want := []byte{0b10100110, 0b01000001, 0b00010100, 0b11001000, 0b01011000}
	if diff := cmp.Diff(want, w.buf); diff != "" {
		t.Error(diff)
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	w.reset()
	var values []uint32
	for range 5000 {
		v := rnd.Uint32N(1<<16) >> rnd.IntN(16)
		values = append(values, v)
		w.ue(v)
	}
	length := w.len()
	w.trailing()
	r := &bitReader{t: t, data: w.buf}
	for i, v := range values {
		if got := r.ue(); got != v {
			t.Fatalf("value %d is %d, want %d", i, got, v)
		}
	}
	if r.at != length {
		t.Errorf("%d bits read, %d counted", r.at, length)
	}
}

func TestNAL_PreventsStartCodes(t *testing.T) {
	for _, c := range []struct{ rbsp, want []byte }{
		{[]byte{1, 2}, []byte{0x65, 1, 2}},
		{[]byte{0, 0, 1}, []byte{0x65, 0, 0, 3, 1}},
		{[]byte{0, 0, 0, 0, 0x80}, []byte{0x65, 0, 0, 3, 0, 0, 0x80}},
		{[]byte{0, 0, 0, 0, 0, 1}, []byte{0x65, 0, 0, 3, 0, 0, 3, 0, 1}},
		{[]byte{0, 0, 3, 0, 0, 2, 0, 0, 4}, []byte{0x65, 0, 0, 3, 3, 0, 0, 3, 2, 0, 0, 4}},
	} {
		w := bitWriter{buf: c.rbsp}
		if diff := cmp.Diff(c.want, w.nal(nalIDR)); diff != "" {
			t.Errorf("%v: %s", c.rbsp, diff)
		}
	}
}
