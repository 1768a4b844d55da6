package v4l2

import (
	"slices"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
)

// H.264 NAL units, told apart by their last byte.
func first(n byte) []byte { return []byte{0x41, 0x9a, n} } // first_mb_in_slice is 0
func other(n byte) []byte { return []byte{0x41, 0x45, n} }
func idr(n byte) []byte   { return []byte{0x65, 0x88, n} }
func sps(n byte) []byte   { return []byte{0x67, 0x64, n} }
func pps(n byte) []byte   { return []byte{0x68, 0xee, n} }
func aud(n byte) []byte   { return []byte{0x09, 0xf0, n} }

// tags returns the last byte of every unit, a string a picture.
func tags(pictures []picture) (out []string) {
	for _, p := range pictures {
		text := ""
		for _, u := range p.units {
			text += string(u[len(u)-1])
		}
		out = append(out, text)
	}
	return out
}

func TestJoiner_Pictures(t *testing.T) {
	type buffer [][]byte
	for _, c := range []struct {
		name  string
		codec codecs.Codec
		in    []buffer
		want  []string // pictures, "|" after each buffer
		torn  int
	}{
		{"a picture a buffer", codecs.H264, []buffer{{sps('a'), pps('b'), idr('c')}, {first('d')}, {first('e'), other('f')}},
			[]string{"abc", "|", "d", "|", "ef", "|"}, 0},
		{"parameter sets in a buffer of their own", codecs.H264, []buffer{{sps('a'), pps('b')}, {idr('c')}, {first('d')}},
			[]string{"ab", "|", "c", "|", "d", "|"}, 0},
		{"two pictures in a buffer", codecs.H264, []buffer{{sps('a'), pps('b'), idr('c'), first('d')}, {aud('e'), first('f'), aud('g'), first('h')}},
			[]string{"abc", "d", "|", "ef", "gh", "|"}, 0},
		{"pictures over several buffers wait once that is known", codecs.H264,
			[]buffer{{first('a')}, {other('b')}, {first('c')}, {other('d')}, {other('e')}, {first('f')}, {other('g')}, {first('h')}},
			[]string{"a", "|", "|", "|", "|", "|", "cde", "|", "|", "fg", "|"}, 1},
		{"joined in the middle of a picture", codecs.H264, []buffer{{other('a')}, {first('b')}, {first('c')}},
			[]string{"|", "b", "|", "c", "|"}, 0},
		{"data partitions", codecs.H264, []buffer{{{0x42, 0x9a, 'a'}, {0x43, 0x80, 'b'}, {0x44, 0x80, 'c'}}, {first('d')}},
			[]string{"abc", "|", "d", "|"}, 0},
		{"H.265", codecs.H265, []buffer{{{0x40, 1, 'a'}, {0x42, 1, 'b'}, {0x44, 1, 'c'}, {0x26, 1, 0x80, 'd'}, {0x26, 1, 0, 'e'}}, {{0x02, 1, 0x80, 'f'}, {0x50, 1, 'g'}, {0x02, 1, 0x80, 'h'}}},
			[]string{"abcde", "|", "fg", "h", "|"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := joiner{codec: c.codec}
			var got []string
			torn := 0
			for _, b := range c.in {
				done, broken := j.add(b, stamp{})
				got = append(append(got, tags(done)...), "|")
				if broken {
					torn++
				}
			}
			if !slices.Equal(got, c.want) || torn != c.torn {
				t.Errorf("pictures %q, %d torn; want %q, %d torn", got, torn, c.want, c.torn)
			}
		})
	}
}

func TestJoiner_WaitsNoLongerWhenPicturesAreWholeAgain(t *testing.T) {
	j := joiner{codec: codecs.H264}
	j.add([][]byte{first('a')}, stamp{})
	j.add([][]byte{other('b')}, stamp{})
	if done, _ := j.add([][]byte{first('c')}, stamp{}); len(done) != 0 {
		t.Fatal("a picture was handed on whose rest may come")
	}
	n := 0
	for range 2 * forget {
		done, _ := j.add([][]byte{first('d')}, stamp{})
		n = len(done)
	}
	if done, _ := j.add([][]byte{first('e')}, stamp{}); n != 1 || tags(done)[0] != "e" {
		t.Errorf("pictures still wait: %q", tags(done))
	}
}

func TestJoiner_IsBounded(t *testing.T) {
	j := joiner{codec: codecs.H264}
	j.add([][]byte{first('a')}, stamp{})
	j.add([][]byte{other('b')}, stamp{})
	j.add([][]byte{first('c')}, stamp{})
	torn := false
	for range 2 * maxPictureUnits {
		_, broken := j.add([][]byte{other('d')}, stamp{})
		torn = torn || broken
		if n := len(j.held.units); n > maxPictureUnits {
			t.Fatalf("%d units held", n)
		}
	}
	if !torn {
		t.Error("a picture without end was not noticed")
	}
}

func FuzzJoiner(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65, 0x88, 0, 0, 1, 0x41, 0x9a}, byte(3), false)
	f.Add([]byte{0, 0, 0, 2, 0x65, 0x88, 0, 0, 0, 2, 0x41, 0x45}, byte(6), true)
	f.Fuzz(func(t *testing.T, data []byte, cut byte, h265 bool) {
		j := joiner{codec: codecs.H264}
		if h265 {
			j.codec = codecs.H265
		}
		in, out := 0, 0
		for len(data) > 0 {
			n := min(len(data), int(cut)+1)
			units, _ := split(data[:n])
			data = data[n:]
			for _, u := range units {
				in += len(u)
			}
			done, _ := j.add(units, stamp{})
			for _, p := range done {
				if len(p.units) == 0 {
					t.Fatal("a picture of nothing")
				}
				out += p.bytes
			}
			if out > in {
				t.Fatalf("%d bytes out of %d", out, in)
			}
		}
	})
}
