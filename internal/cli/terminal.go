package cli

import (
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// ToTerminal reports whether a person sees what is said on stdout. What is
// secret and drawn for a person goes nowhere else: a journal keeps it.
func (p *Process) ToTerminal() bool {
	f, ok := p.Stdout.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Printable replaces what would move the cursor or hide something, in a text that
// came from elsewhere.
func Printable(text string) string { return printable(text) }

// printable replaces what would move the cursor or hide something. Names come
// from other people.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
