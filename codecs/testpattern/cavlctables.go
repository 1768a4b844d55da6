package testpattern

import (
	"strconv"
	"strings"
)

// The tables of ITU-T H.264 §9.2 as text, so that they can be compared with
// the standard at sight. newCAVLC turns them into codes.

// coeffText is table 9-5: trailing ones, total coefficients, then the
// code for 0 <= nC < 2, 2 <= nC < 4, 4 <= nC < 8 and nC == -1 (chroma DC; "-"
// where there is none). For 8 <= nC the code is 6 bits of fixed length.
const coeffText = `
0 0 1 11 1111 01
0 1 000101 001011 001111 000111
1 1 01 10 1110 1
0 2 00000111 000111 001011 000100
1 2 000100 00111 01111 000110
2 2 001 011 1101 001
0 3 000000111 0000111 001000 000011
1 3 00000110 001010 01100 0000011
2 3 0000101 001001 01110 0000010
3 3 00011 0101 1100 000101
0 4 0000000111 00000111 0001111 000010
1 4 000000110 000110 01010 00000011
2 4 00000101 000101 01011 00000010
3 4 000011 0100 1011 0000000
0 5 00000000111 00000100 0001011 -
1 5 0000000110 0000110 01000 -
2 5 000000101 0000101 01001 -
3 5 0000100 00110 1010 -
0 6 0000000001111 000000111 0001001 -
1 6 00000000110 00000110 001110 -
2 6 0000000101 00000101 001101 -
3 6 00000100 001000 1001 -
0 7 0000000001011 00000001111 0001000 -
1 7 0000000001110 000000110 001010 -
2 7 00000000101 000000101 001001 -
3 7 000000100 000100 1000 -
0 8 0000000001000 00000001011 00001111 -
1 8 0000000001010 00000001110 0001110 -
2 8 0000000001101 00000001101 0001101 -
3 8 0000000100 0000100 01101 -
0 9 00000000001111 000000001111 00001011 -
1 9 00000000001110 00000001010 00001110 -
2 9 0000000001001 00000001001 0001010 -
3 9 00000000100 000000100 001100 -
0 10 00000000001011 000000001011 000001111 -
1 10 00000000001010 000000001110 00001010 -
2 10 00000000001101 000000001101 00001101 -
3 10 0000000001100 00000001100 0001100 -
0 11 000000000001111 000000001000 000001011 -
1 11 000000000001110 000000001010 000001110 -
2 11 00000000001001 000000001001 00001001 -
3 11 00000000001100 00000001000 00001100 -
0 12 000000000001011 0000000001111 000001000 -
1 12 000000000001010 0000000001110 000001010 -
2 12 000000000001101 0000000001101 000001101 -
3 12 00000000001000 000000001100 00001000 -
0 13 0000000000001111 0000000001011 0000001101 -
1 13 000000000000001 0000000001010 000000111 -
2 13 000000000001001 0000000001001 000001001 -
3 13 000000000001100 0000000001100 000001100 -
0 14 0000000000001011 0000000000111 0000001001 -
1 14 0000000000001110 00000000001011 0000001100 -
2 14 0000000000001101 0000000000110 0000001011 -
3 14 000000000001000 0000000001000 0000001010 -
0 15 0000000000000111 00000000001001 0000000101 -
1 15 0000000000001010 00000000001000 0000001000 -
2 15 0000000000001001 00000000001010 0000000111 -
3 15 0000000000001100 0000000000001 0000000110 -
0 16 0000000000000100 00000000000111 0000000001 -
1 16 0000000000000110 00000000000110 0000000100 -
2 16 0000000000000101 00000000000101 0000000011 -
3 16 0000000000001000 00000000000100 0000000010 -
`

// totalZerosText is tables 9-7 and 9-8: a row for each number of coefficients
// from 1, the codes for 0, 1, … zeros.
const totalZerosText = `
1 011 010 0011 0010 00011 00010 000011 000010 0000011 0000010 00000011 00000010 000000011 000000010 000000001
111 110 101 100 011 0101 0100 0011 0010 00011 00010 000011 000010 000001 000000
0101 111 110 101 0100 0011 100 011 0010 00011 00010 000001 00001 000000
00011 111 0101 0100 110 101 100 0011 011 0010 00010 00001 00000
0101 0100 0011 111 110 101 100 011 0010 00001 0001 00000
000001 00001 111 110 101 100 011 010 0001 001 000000
000001 00001 101 100 011 11 010 0001 001 000000
000001 0001 00001 011 11 10 010 001 000000
000001 000000 0001 11 10 001 01 00001
00001 00000 001 11 10 01 0001
0000 0001 001 010 1 011
0000 0001 01 1 001
000 001 1 01
00 01 1
0 1
`

// totalZerosDCText is table 9-9 (a), for the chroma DC of 4:2:0.
const totalZerosDCText = `
1 01 001 000
1 01 00
1 0
`

// runBeforeText is table 9-10: a row for each number of zeros left from 1 to 7
// (and above), the codes for a run of 0, 1, …
const runBeforeText = `
1 0
1 01 00
11 10 01 00
11 10 01 001 000
11 10 011 010 001 000
11 000 001 011 010 101 100
111 110 101 100 011 010 001 0001 00001 000001 0000001 00000001 000000001 0000000001 00000000001
`

// interCBPText is the inter column of table 9-4 (a): coded_block_pattern for
// codeNum 0, 1, …
const interCBPText = `0 16 1 2 4 8 32 3 5 10 12 15 47 7 11 13 14 6 9 31 35 37 42 44 33 34 36 40 39 43 45 46
	17 18 20 24 19 21 26 28 23 27 29 30 22 25 38 41`

// vlc is one code word of a variable-length code; no code word has size 0.
type vlc struct {
	bits uint16
	size uint8
}

// cavlc holds the code tables.
type cavlc struct {
	// coeffToken is indexed by the column (nC below 2, 4, 8; 8 and above;
	// chroma DC), trailing ones and total coefficients.
	coeffToken [5][4][17]vlc
	totalZeros [16][16]vlc // by coefficients, zeros
	// totalZerosDC is totalZeros for the chroma DC.
	totalZerosDC [4][4]vlc
	runBefore    [8][15]vlc // by zeros left (at most 7), run
	interCBP     [48]uint8  // codeNum by coded_block_pattern
}

const (
	columnFixed    = 3 // 8 <= nC
	columnChromaDC = 4 // nC == -1
)

// newCAVLC returns the code tables.
func newCAVLC() *cavlc {
	c := new(cavlc)
	for line := range strings.Lines(strings.TrimSpace(coeffText)) {
		f := strings.Fields(line)
		ones, total := atoi(f[0]), atoi(f[1])
		for i, column := range []int{0, 1, 2, columnChromaDC} {
			c.coeffToken[column][ones][total] = parseVLC(f[2+i])
		}
		fixed := vlc{bits: uint16((total-1)<<2 | ones), size: 6}
		if total == 0 {
			fixed.bits = 3
		}
		c.coeffToken[columnFixed][ones][total] = fixed
	}
	parseRows(totalZerosText, func(row, i int, v vlc) { c.totalZeros[row][i] = v })
	parseRows(totalZerosDCText, func(row, i int, v vlc) { c.totalZerosDC[row][i] = v })
	parseRows(runBeforeText, func(row, i int, v vlc) { c.runBefore[row][i] = v })
	for codeNum, cbp := range strings.Fields(interCBPText) {
		c.interCBP[atoi(cbp)] = uint8(codeNum)
	}
	return c
}

// parseRows calls set with each code word of text; rows count from 1.
func parseRows(text string, set func(row, i int, v vlc)) {
	row := 0
	for line := range strings.Lines(strings.TrimSpace(text)) {
		row++
		for i, code := range strings.Fields(line) {
			set(row, i, parseVLC(code))
		}
	}
}

func parseVLC(code string) vlc {
	if code == "-" {
		return vlc{}
	}
	v, err := strconv.ParseUint(code, 2, 16)
	if err != nil {
		panic("testpattern: code table: " + err.Error())
	}
	return vlc{bits: uint16(v), size: uint8(len(code))}
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("testpattern: code table: " + err.Error())
	}
	return n
}
