package netcheck

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sightline-cam/sightline/internal/wordwrap"
)

// Section is a part of what is written for a person.
type Section struct {
	Title    string
	Findings []Finding
}

const (
	textWidth   = 80 // columns
	levelColumn = len(Problem) + 2
	// topicColumn is wide enough for all topics of ours; a longer one, the name of
	// a camera, has a line of its own.
	topicColumn = 14
)

// WriteText writes a verdict, and sections in columns, wrapped. Whatever cannot be printed is
// replaced: names and addresses may come from anywhere.
func WriteText(w io.Writer, verdict string, sections []Section) error {
	var b strings.Builder
	b.WriteString(strings.Join(wordwrap.Lines(Printable(verdict), textWidth), "\n") + "\n")
	for _, s := range sections {
		if len(s.Findings) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", Printable(s.Title))
		for _, f := range s.Findings {
			f.write(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f *Finding) write(b *strings.Builder) {
	topic := Printable(f.Topic)
	indent := strings.Repeat(" ", 2+levelColumn+topicColumn)
	fmt.Fprintf(b, "  %-*s%s", levelColumn, f.Level, topic)
	if n := utf8.RuneCountInString(topic); n < topicColumn {
		b.WriteString(strings.Repeat(" ", topicColumn-n))
	} else {
		b.WriteString("\n" + indent)
	}
	lines := wordwrap.Lines(Printable(f.Text), textWidth-len(indent))
	if f.Advice != "" {
		lines = append(lines, wordwrap.Lines("What to do: "+Printable(f.Advice), textWidth-len(indent))...)
	}
	b.WriteString(strings.Join(lines, "\n"+indent) + "\n")
	for _, d := range f.Details {
		b.WriteString(indent + Printable(d) + "\n")
	}
}

// Printable replaces what a terminal might obey.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
