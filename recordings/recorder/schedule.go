package recorder

import (
	"slices"
	"time"
)

// Schedule says at which times of the week a camera is recorded, by the clock of a
// time zone: on the days on which clocks are changed, an hour of it comes twice, or
// not at all. The zero value is always. ParseSchedule makes others.
type Schedule struct {
	text  string
	zone  *time.Location
	spans []weekSpan // in order, apart from each other; none: always
}

// weekSpan is a time of the week: minutes since Monday 00:00, without to.
type weekSpan struct{ from, to int }

const (
	dayMinutes  = 24 * 60
	weekMinutes = 7 * dayMinutes
)

// Active reports whether the camera is to be recorded at t.
func (s Schedule) Active(t time.Time) bool {
	if s.Always() {
		return true
	}
	t = t.In(s.zone)
	day := (int(t.Weekday()) + 6) % 7 // Monday is 0
	minute := day*dayMinutes + t.Hour()*60 + t.Minute()
	for _, span := range s.spans {
		if minute < span.to {
			return minute >= span.from
		}
	}
	return false
}

// Next returns when Active changes after t; zero if never.
func (s Schedule) Next(t time.Time) time.Time {
	if s.Always() {
		return time.Time{}
	}
	local, now := t.In(s.zone), s.Active(t)
	var edges []time.Time
	for ahead := range 9 {
		day := time.Date(local.Year(), local.Month(), local.Day()+ahead, 0, 0, 0, 0, time.UTC)
		first := (int(day.Weekday()) + 6) % 7 * dayMinutes
		for _, span := range s.spans {
			for _, edge := range [2]int{span.from, span.to % weekMinutes} {
				if m := edge - first; m >= 0 && m < dayMinutes {
					edges = append(edges, time.Date(day.Year(), day.Month(), day.Day(), m/60, m%60, 0, 0, s.zone))
				}
			}
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	for _, edge := range edges {
		if edge.After(t) && s.Active(edge) != now {
			return edge
		}
	}
	return time.Time{}
}

// Always reports whether there is no other time.
func (s Schedule) Always() bool { return len(s.spans) == 0 }

// String is the text that it was made of; empty if it is always.
func (s Schedule) String() string { return s.text }
