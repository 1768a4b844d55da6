package cli

import (
	"strings"
	"testing"

	"rsc.io/qr"
)

// What is drawn, read back, is the code of the text, on a white margin.
func TestQRText_DrawsTheCode(t *testing.T) {
	const link = "https://192.0.2.7:8788/#peer=" + publisher + "&pair=AAAAAAAAAAAAAAAAAAAAAA"
	text, err := qrText(link)
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(link, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[rune][2]bool{'█': {false, false}, '▀': {false, true}, '▄': {true, false}, ' ': {true, true}} // dark above, below
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != (code.Size+2*quiet+1)/2 {
		t.Errorf("%d lines for %d modules", len(lines), code.Size)
	}
	for row, line := range lines {
		line, ok := strings.CutPrefix(line, "\x1b[97;40m")
		line, end := strings.CutSuffix(line, "\x1b[0m")
		if !ok || !end || len([]rune(line)) != code.Size+2*quiet {
			t.Fatalf("line %d: %q", row, line)
		}
		for x, r := range []rune(line) {
			dark, ok := blocks[r]
			if !ok {
				t.Fatalf("%q is no block", r)
			}
			for i, d := range dark {
				if d != code.Black(x-quiet, 2*row+i-quiet) {
					t.Fatalf("module %d,%d is wrong", x, 2*row+i)
				}
			}
		}
	}
}
