package nal

import "testing"

func TestBitReader_ReadsNumbers(t *testing.T) {
	// 101, ue(0) = 1, ue(1) = 010, ue(7) = 0001000, 11, padding
	r := NewBitReader([]byte{0b1011_0100, 0b0010_0011})
	if a, b, c, d, e := r.Bits(3), r.UE(), r.UE(), r.UE(), r.Bits(2); a != 5 || b != 0 || c != 1 || d != 7 || e != 3 || r.Failed() {
		t.Errorf("read %d %d %d %d %d, failed %v", a, b, c, d, e, r.Failed())
	}
}

func TestBitReader_LeavesOutEmulationPrevention(t *testing.T) {
	r := NewBitReader([]byte{1, 0, 0, 3, 0, 0, 3, 1, 3})
	for i, want := range []uint32{1, 0, 0, 0, 0, 1, 3} {
		if got := r.Bits(8); got != want {
			t.Errorf("byte %d is %d, want %d", i, got, want)
		}
	}
	if r.Failed() {
		t.Error("failed too early")
	}
	if r.Bit(); !r.Failed() {
		t.Error("read past the end")
	}
}

func TestBitReader_LargestCode(t *testing.T) {
	r := NewBitReader([]byte{0, 0, 3, 0, 1, 0xff, 0xff, 0xff, 0xff})
	if v := r.UE(); v != 1<<32-2 || r.Failed() {
		t.Errorf("read %d, failed %v", v, r.Failed())
	}
	r = NewBitReader([]byte{0, 0, 3, 0, 0, 0x80})
	if v := r.UE(); v != 0 || !r.Failed() {
		t.Errorf("read %d of a code of 33 zeros, failed %v", v, r.Failed())
	}
}

func TestHasSEI(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		want bool
	}{
		{"the only message", []byte{6, 1, 0x84, 0x80}, true},
		{"behind another", []byte{5, 3, 1, 2, 3, 6, 1, 0x84, 0x80}, true},
		{"a long type and a long size", append(append([]byte{255, 45, 255, 1}, make256()...), 6, 1, 0x84, 0x80), true},
		{"none", []byte{5, 3, 6, 6, 6, 0x80}, false},
		{"a size beyond the end", []byte{5, 255, 255, 255, 6, 6, 1}, false},
		{"nothing", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := HasSEI(tt.data, 6); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func make256() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = 7
	}
	return b
}

func FuzzBitReader(f *testing.F) {
	f.Add([]byte{0, 0, 3, 0, 1, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(_ *testing.T, data []byte) {
		r := NewBitReader(data)
		for !r.Failed() {
			r.UE()
			r.Bits(3)
		}
		HasSEI(data, 6)
	})
}
