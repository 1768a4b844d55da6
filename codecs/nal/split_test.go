package nal

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitAnnexB(t *testing.T) {
	tests := []struct {
		name, stream string
		want         []string
		malformed    bool
	}{
		{"short and long start codes", "\x00\x00\x00\x01ab\x00\x00\x01c\x00\x00\x00\x01d", []string{"ab", "c", "d"}, false},
		{"zero bytes after a NAL unit are not part of it", "\x00\x00\x01ab\x00\x00\x00\x00\x00\x01c\x00\x00", []string{"ab", "c"}, false},
		{"zero bytes inside stay", "\x00\x00\x01a\x00\x00b\x00c", []string{"a\x00\x00b\x00c"}, false},
		{"empty NAL units are skipped", "\x00\x00\x01\x00\x00\x01\x00\x00\x01a\x00\x00\x01", []string{"a"}, false},
		{"what comes before the first start code is skipped", "xyz\x00\x00\x01a", []string{"a"}, false},
		{"no start code", "abc", nil, true},
		{"nothing", "", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := SplitAnnexB([]byte(tt.stream))
			if errors.Is(err, ErrMalformed) != tt.malformed {
				t.Errorf("error %v", err)
			}
			if d := cmp.Diff(tt.want, texts(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSplitLengthPrefixed(t *testing.T) {
	tests := []struct {
		name, sample string
		size         int
		want         []string
		malformed    bool
	}{
		{"four bytes", "\x00\x00\x00\x02ab\x00\x00\x00\x01c", 4, []string{"ab", "c"}, false},
		{"two bytes, an empty NAL unit", "\x00\x02ab\x00\x00\x00\x01c", 2, []string{"ab", "c"}, false},
		{"one byte", "\x02ab", 1, []string{"ab"}, false},
		{"nothing", "", 4, nil, false},
		{"cut off in a NAL unit", "\x00\x01a\x00\x09bc", 2, []string{"a"}, true},
		{"cut off in a length", "\x00\x01a\x00", 2, []string{"a"}, true},
		{"the largest length", "\xff\xff\xff\xffa", 4, nil, true},
		{"length fields of a size that does not exist", "\x00\x00\x01a", 3, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := SplitLengthPrefixed([]byte(tt.sample), tt.size)
			if errors.Is(err, ErrMalformed) != tt.malformed {
				t.Errorf("error %v", err)
			}
			if d := cmp.Diff(tt.want, texts(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSplit_NumberOfUnitsIsBounded(t *testing.T) {
	units, err := SplitAnnexB(bytes.Repeat([]byte{0, 0, 1, 9}, MaxUnits+1))
	if len(units) != MaxUnits || !errors.Is(err, ErrMalformed) {
		t.Errorf("%d units, error %v", len(units), err)
	}
	units, err = SplitLengthPrefixed(bytes.Repeat([]byte{1, 9}, MaxUnits+1), 1)
	if len(units) != MaxUnits || !errors.Is(err, ErrMalformed) {
		t.Errorf("%d units, error %v", len(units), err)
	}
}

func texts(units [][]byte) []string {
	var s []string
	for _, u := range units {
		s = append(s, string(u))
	}
	return s
}

func FuzzSplitAnnexB(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01ab\x00\x00\x01c\x00"))
	f.Add([]byte("abc\x00\x00"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		units, err := SplitAnnexB(stream)
		if err != nil {
			return
		}
		var again []byte
		for _, u := range units {
			if len(u) == 0 || u[len(u)-1] == 0 || bytes.Contains(u, []byte{0, 0, 1}) {
				t.Fatalf("bad NAL unit %x", u)
			}
			again = append(append(again, 0, 0, 0, 1), u...)
		}
		if len(units) == 0 {
			return
		}
		second, err := SplitAnnexB(again)
		if err != nil || cmp.Diff(units, second) != "" {
			t.Fatalf("splits differently the second time: %v", err)
		}
	})
}

func FuzzSplitLengthPrefixed(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02ab\x00\x00\x00\x01c"), 4)
	f.Fuzz(func(t *testing.T, sample []byte, size int) {
		units, _ := SplitLengthPrefixed(sample, size)
		n := 0
		for _, u := range units {
			n += len(u) + size
		}
		if n > len(sample) {
			t.Fatalf("%d bytes out of %d", n, len(sample))
		}
	})
}
