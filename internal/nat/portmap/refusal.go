package portmap

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// errNoAnswer says that nothing there speaks the protocol. Every other error of a
// mapper is a refusal.
var errNoAnswer = errors.New("no answer")

// errNoAddress is the refusal of a router that sees no internet from where it is.
var errNoAddress = errors.New("it has no public address of its own, or its connection is down")

// refusal is a no, or an answer that makes no sense; the text is a sentence's
// second half: "the router says that ...".
type refusal string

func (r refusal) Error() string { return string(r) }

func refused(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// clip makes what a router said fit for a log line and a terminal.
func clip(text string) string {
	const most = 160 // characters
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > most {
			b.WriteString("...")
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
