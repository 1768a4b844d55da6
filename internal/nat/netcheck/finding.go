package netcheck

// Finding is one thing that was found out, for a person to read.
type Finding struct {
	Level Level `json:"level"`
	// Topic is a few words: "UDP", "Router".
	Topic string `json:"topic"`
	// Text says what is and what it means, in whole sentences.
	Text string `json:"text"`
	// Advice says what to do. Empty if there is nothing.
	Advice string `json:"advice,omitempty"`
	// Details are lines of a table below the text.
	Details []string `json:"-"`
}

// Level is how much a Finding matters.
type Level string

// The levels.
const (
	OK      Level = "ok"      // as it should be
	Note    Level = "note"    // works, and could be better or is good to know
	Problem Level = "problem" // does not work
)
