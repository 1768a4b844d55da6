package cli

import (
	"strings"

	"rsc.io/qr"
)

// quiet is the margin that a QR code needs, in modules (ISO/IEC 18004 §6.3.8
// wants four; phones read it with two on a background of the same colour).
const quiet = 2

// qrText draws a QR code for a terminal, two modules a character, with half
// blocks in black on white whatever colours the terminal has.
func qrText(text string) (string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", err
	}
	white := func(x, y int) bool { return !code.Black(x-quiet, y-quiet) } // outside is white
	size := code.Size + 2*quiet
	var b strings.Builder
	for y := 0; y < size; y += 2 {
		b.WriteString("\x1b[97;40m") // bright white on black
		for x := range size {
			switch top, bottom := white(x, y), white(x, y+1); {
			case top && bottom:
				b.WriteRune('█')
			case top:
				b.WriteRune('▀')
			case bottom:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String(), nil
}

// sayLink prints a link that holds a secret: to a terminal with what it is for
// and as a QR code, and else nothing but the link.
func (p *Process) sayLink(what, link string) {
	if !p.ToTerminal() {
		p.Say("%s", link)
		return
	}
	p.Say("%s\n", what)
	if drawn, err := qrText(link); err == nil { // else the link is there to type
		p.Say("%s", drawn)
	}
	p.Say("%s", link)
}
