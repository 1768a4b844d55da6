// Package wordwrap breaks text for terminals between words.
package wordwrap

import (
	"strings"
	"unicode/utf8"
)

// Lines breaks text into lines of at most width characters, as far as words allow:
// a longer word has a line of its own. There is at least one line.
func Lines(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
