package testpattern

// maxLevel bounds the magnitude of a quantized coefficient: what an escape
// with level_prefix 15, the largest of the baseline profile, can carry.
const maxLevel = 2000

// residual writes a block of quantized coefficients in scan order (§7.3.5.3.2,
// §9.2) and returns the number of those that are not zero. Its length is 16, 15
// (AC only) or 4 (chroma DC); column is the coeff_token column.
func (c *cavlc) residual(w *bitWriter, coefs []int16, column int) int {
	var levels [16]int32
	var runs [16]int // zeros directly below each level
	total, last := 0, -1
	for i := len(coefs) - 1; i >= 0; i-- {
		if v := coefs[i]; v != 0 {
			if total > 0 {
				runs[total-1] = last - i - 1 //nolint:gosec // total is 1 to 15 here: one for each coefficient so far
			}
			levels[total] = int32(v)
			total++
			last = i
		}
	}
	if total == 0 {
		c.put(w, c.coeffToken[column][0][0])
		return 0
	}
	ones := 0
	for ones < min(total, 3) && (levels[ones] == 1 || levels[ones] == -1) {
		ones++
	}
	c.put(w, c.coeffToken[column][ones][total])
	for _, l := range levels[:ones] {
		w.flag(l < 0)
	}
	writeLevels(w, levels[:total], ones)

	// last is the position of the lowest coefficient: the zeros below it and
	// the runs between make up total_zeros.
	zeros := last
	for _, r := range runs[:total-1] {
		zeros += r
	}
	if total < len(coefs) {
		if len(coefs) == 4 {
			c.put(w, c.totalZerosDC[total][zeros])
		} else {
			c.put(w, c.totalZeros[total][zeros])
		}
	}
	for _, r := range runs[:total-1] {
		if zeros == 0 {
			break
		}
		c.put(w, c.runBefore[min(zeros, 7)][r])
		zeros -= r
	}
	return total
}

func (c *cavlc) put(w *bitWriter, v vlc) { w.u(uint32(v.bits), uint(v.size)) }

// writeLevels writes the levels after the trailing ones (§9.2.2.1).
func writeLevels(w *bitWriter, levels []int32, ones int) {
	suffix := uint(0)
	if len(levels) > 10 && ones < 3 {
		suffix = 1
	}
	for i, level := range levels[ones:] {
		magnitude := max(level, -level)
		code := uint32(2*magnitude - 2)
		if level < 0 {
			code++
		}
		if i == 0 && ones < 3 {
			code -= 2
		}
		writeLevel(w, code, suffix)
		if suffix == 0 {
			suffix = 1
		}
		if magnitude > 3<<(suffix-1) && suffix < 6 {
			suffix++
		}
	}
}

// writeLevel writes level_prefix and level_suffix of a levelCode.
func writeLevel(w *bitWriter, code uint32, suffix uint) {
	switch {
	case suffix == 0 && code < 14:
		w.u(1, uint(code)+1)
	case suffix == 0 && code < 30:
		w.u(1, 15)
		w.u(code-14, 4)
	case suffix == 0:
		w.u(1, 16)
		w.u(code-30, 12)
	case code < 15<<suffix:
		w.u(1, uint(code>>suffix)+1)
		w.u(code&(1<<suffix-1), suffix)
	default:
		w.u(1, 16)
		w.u(code-15<<suffix, 12)
	}
}

// tokenColumn returns the coeff_token column of a luma or chroma AC block by
// nC, the mean number of coefficients of its neighbours.
func tokenColumn(nC int) int {
	switch {
	case nC < 2:
		return 0
	case nC < 4:
		return 1
	case nC < 8:
		return 2
	}
	return columnFixed
}
