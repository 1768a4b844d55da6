package camera

import (
	"slices"
	"strings"
	"time"
)

// Status is what is known about a camera's connection: a value to show to
// people and to send over the API.
type Status struct {
	// State is where the connection stands.
	State State `json:"state"`
	// Since is when State was entered. Failed attempts to reconnect do not
	// move it: a camera is offline since it was lost.
	Since time.Time `json:"since"`
	// Reason is a sentence for a person: why the camera is offline and what
	// to do about it. Empty while connecting for the first time and while
	// live. It never holds a password.
	Reason string `json:"reason,omitempty"`
	// Public is Reason for those who may watch and no more: it names no address,
	// path, program or user. Empty where nothing can be said so.
	Public string `json:"-"`
	// Failures counts the failed attempts since the camera was last live.
	Failures int `json:"failures,omitempty"`
	// Warnings are defects that do not end the connection, ordered by kind.
	Warnings []Warning `json:"warnings,omitempty"`
}

// Warning returns the texts of all warnings as one line; empty without any.
func (s Status) Warning() string {
	texts := make([]string, 0, len(s.Warnings))
	for _, w := range s.Warnings {
		texts = append(texts, w.Text)
	}
	return strings.Join(texts, "; ")
}

func (s Status) clone() Status {
	s.Warnings = slices.Clone(s.Warnings)
	return s
}

// withWarning returns the status with the warning of that kind replaced, or
// removed for an empty text.
func (s Status) withWarning(kind, text string) Status {
	i, found := slices.BinarySearchFunc(s.Warnings, kind, func(w Warning, kind string) int {
		return strings.Compare(w.Kind, kind)
	})
	s = s.clone()
	switch {
	case found && text == "":
		s.Warnings = slices.Delete(s.Warnings, i, i+1)
	case found:
		s.Warnings[i].Text = text
	case text != "" && len(s.Warnings) < maxWarnings:
		s.Warnings = slices.Insert(s.Warnings, i, Warning{Kind: kind, Text: text})
	}
	if len(s.Warnings) == 0 {
		s.Warnings = nil
	}
	return s
}
