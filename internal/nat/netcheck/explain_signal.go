package netcheck

import (
	"fmt"
	"time"
)

// Clocks that are further off than this are worth a word, or a problem: messages
// are good for a minute and two more (signaling/doc.go), and guests' rights and
// certificates end at a time of day.
const (
	noteClock    = 10 * time.Second
	problemClock = 2 * time.Minute
)

// Explain says what was found out about the signaling service and the clock.
func (s *SignalReport) Explain() []Finding {
	if s.Problem != "" {
		return append([]Finding{{Level: Problem, Topic: "Service", Text: fmt.Sprintf("%s: %s.", s.URL, s.Problem)}}, s.explainClock()...)
	}
	return append([]Finding{{Level: OK, Topic: "Service", Text: fmt.Sprintf("%s answers (%d ms).", s.URL, s.RTTms)}}, s.explainClock()...)
}

func (s *SignalReport) explainClock() []Finding {
	if s.Clock == nil {
		return nil
	}
	f := Finding{Level: OK, Topic: "Clock", Text: "Right, as far as whole seconds can tell."}
	off, direction := time.Duration(s.Clock.AheadMs)*time.Millisecond, "ahead of"
	if off < 0 {
		off, direction = -off, "behind"
	}
	if off > noteClock+time.Duration(s.Clock.PrecisionMs)*time.Millisecond {
		f.Level = Note
		f.Text = fmt.Sprintf("%s %s the signaling service's.", roughly(off), direction)
		f.Advice = "Set this device's clock by NTP, or check the server's."
	}
	if off > problemClock {
		f.Level = Problem
		f.Text += " Certificates and guests' rights begin and end at the wrong time, and viewers may be refused."
	}
	return []Finding{f}
}

// roughly returns a duration in the largest unit that fits it.
func roughly(d time.Duration) string {
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}} {
		if d >= 2*u.unit {
			return fmt.Sprintf("%d %s", int64(d.Round(u.unit)/u.unit), u.name)
		}
	}
	return fmt.Sprintf("%d seconds", int64(d.Round(time.Second)/time.Second))
}
