package uapi

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text is a driver's text: up to the NUL, valid UTF-8, what cannot be printed replaced,
// no spaces around.
func text(b []byte) string {
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return utf8.RuneError
		}
		return r
	}, string(b)))
}
