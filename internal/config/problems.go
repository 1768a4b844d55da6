package config

import (
	"fmt"
	"strings"
)

// Problem is one mistake in the settings.
type Problem struct {
	// File and Line say where; empty and 0 if the setting came from a flag or
	// the environment.
	File string
	Line int
	// Key is the setting's path, for example "cameras[0].url"; empty for the
	// file as a whole.
	Key string
	// Text says what is wrong and what to do.
	Text string
}

// String returns "file:line: key: text".
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	} else if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems is the error that Parse, Load and Complete return: every mistake
// found, not only the first.
type Problems []Problem

// Error returns one line for each mistake.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// err returns the problems as an error, nil if there are none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
