package testpattern

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// bitReader reads what a bitWriter wrote.
type bitReader struct {
	t    *testing.T
	data []byte
	at   int
}

func (r *bitReader) u(n int) uint32 {
	r.t.Helper()
	v := uint32(0)
	for range n {
		if r.at >= len(r.data)*8 {
			r.t.Fatal("read past the end")
		}
		v = v<<1 | uint32(r.data[r.at/8]>>(7-r.at%8)&1)
		r.at++
	}
	return v
}

func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.u(1) == 0 {
		zeros++
	}
	return 1<<zeros - 1 + r.u(zeros)
}

// code reads one code word of a table.
func (r *bitReader) code(table []vlc) int {
	r.t.Helper()
	v := uint16(0)
	for size := uint8(1); size <= 16; size++ {
		v = v<<1 | uint16(r.u(1))
		for i, c := range table {
			if c == (vlc{v, size}) {
				return i
			}
		}
	}
	r.t.Fatal("no such code word")
	return 0
}

// residual decodes a block as §9.2 describes it.
func (r *bitReader) residual(c *cavlc, column, size int) []int16 {
	r.t.Helper()
	var tokens []vlc
	for ones := range 4 {
		tokens = append(tokens, c.coeffToken[column][ones][:]...)
	}
	token := r.code(tokens)
	ones, total := token/17, token%17
	out := make([]int16, size)
	if total == 0 {
		return out
	}
	levels := make([]int32, total)
	suffixLength := 0
	if total > 10 && ones < 3 {
		suffixLength = 1
	}
	for i := range levels {
		if i < ones {
			levels[i] = 1 - 2*int32(r.u(1))
			continue
		}
		prefix := 0
		for r.u(1) == 0 {
			prefix++
		}
		if prefix > 15 {
			r.t.Fatalf("level_prefix %d is not for the baseline profile", prefix)
		}
		levelCode := min(15, prefix) << suffixLength
		suffixSize := suffixLength
		switch {
		case prefix == 14 && suffixLength == 0:
			suffixSize = 4
		case prefix == 15:
			suffixSize = 12
		}
		levelCode += int(r.u(suffixSize))
		if prefix == 15 && suffixLength == 0 {
			levelCode += 15
		}
		if i == ones && ones < 3 {
			levelCode += 2
		}
		if levelCode%2 == 0 {
			levels[i] = int32(levelCode+2) >> 1
		} else {
			levels[i] = int32(-levelCode-1) >> 1
		}
		suffixLength = max(suffixLength, 1)
		if max(levels[i], -levels[i]) > 3<<(suffixLength-1) && suffixLength < 6 {
			suffixLength++
		}
	}
	zeros := 0
	if total < size {
		if size == 4 {
			zeros = r.code(c.totalZerosDC[total][:])
		} else {
			zeros = r.code(c.totalZeros[total][:])
		}
	}
	at := zeros + total - 1
	for i, l := range levels {
		out[at] = int16(l)
		at--
		if zeros > 0 && i < total-1 {
			run := r.code(c.runBefore[min(zeros, 7)][:])
			zeros -= run
			at -= run
		}
	}
	return out
}

func TestResidual_DecodesToWhatWasWritten(t *testing.T) {
	c := newCAVLC()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		size := []int{4, 15, 16}[rnd.IntN(3)]
		column := rnd.IntN(4)
		if size == 4 {
			column = columnChromaDC
		}
		want := make([]int16, size)
		density, reach := rnd.Float64(), 1<<rnd.IntN(12)
		for i := range want {
			if rnd.Float64() < density {
				want[i] = int16(min(max(rnd.IntN(2*reach+1)-reach, -maxLevel), maxLevel))
			}
		}
		var w bitWriter
		n := c.residual(&w, want, column)
		w.u(0x5A, 8)
		w.trailing()
		r := &bitReader{t: t, data: w.buf}
		got := r.residual(c, column, size)
		if !slices.Equal(want, got) {
			t.Fatalf("%v in column %d is read as %v", want, column, got)
		}
		if r.u(8) != 0x5A {
			t.Fatalf("%v in column %d: the length is wrong", want, column)
		}
		count := 0
		for _, v := range want {
			if v != 0 {
				count++
			}
		}
		if n != count {
			t.Fatalf("%v: %d coefficients counted, want %d", want, n, count)
		}
	}
}

func TestTables_ArePrefixFree(t *testing.T) {
	c := newCAVLC()
	tables := map[string][]vlc{}
	for column := range c.coeffToken {
		var all []vlc
		for ones := range 4 {
			all = append(all, c.coeffToken[column][ones][:]...)
		}
		tables[fmt.Sprint("coeff_token ", column)] = all
	}
	// Every code of a complete table is used, so its lengths add up to one;
	// but for the first of the 4x4 and the last of run_before, which leave the
	// all-zero word out.
	complete := map[string]bool{}
	for total := 1; total < 16; total++ {
		name := fmt.Sprint("total_zeros ", total)
		tables[name] = c.totalZeros[total][:17-total]
		complete[name] = total > 1
	}
	for total := 1; total < 4; total++ {
		name := fmt.Sprint("total_zeros chroma DC ", total)
		tables[name] = c.totalZerosDC[total][:5-total]
		complete[name] = true
	}
	for left := 1; left < 8; left++ {
		name := fmt.Sprint("run_before ", left)
		tables[name] = c.runBefore[left][:]
		if left < 7 {
			tables[name] = tables[name][:left+1]
			complete[name] = true
		}
	}
	for name, table := range tables {
		sum := 0.0
		for i, a := range table {
			if a.size == 0 {
				continue
			}
			sum += 1 / float64(uint32(1)<<a.size)
			for k, b := range table {
				if i != k && b.size >= a.size && b.bits>>(b.size-a.size) == a.bits {
					t.Errorf("%s: code %d begins code %d", name, i, k)
				}
			}
		}
		if sum > 1 || complete[name] && sum != 1 {
			t.Errorf("%s: the lengths add up to %v", name, sum)
		}
	}
	seen := map[uint8]bool{}
	for _, n := range c.interCBP {
		seen[n] = true
	}
	if len(seen) != 48 {
		t.Errorf("coded_block_pattern has %d codes, want 48", len(seen))
	}
}

func TestCoeffToken_HasACodeForEveryCount(t *testing.T) {
	c := newCAVLC()
	for column := range c.coeffToken {
		for total := range 17 {
			for ones := range 4 {
				want := ones <= total && (column != columnChromaDC || total <= 4)
				if got := c.coeffToken[column][ones][total].size > 0; got != want {
					t.Errorf("column %d, %d coefficients, %d ones: code exists: %t", column, total, ones, got)
				}
			}
		}
	}
}
