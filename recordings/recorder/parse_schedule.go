package recorder

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// maxScheduleText bounds the text of a schedule in bytes, maxScheduleSpans the
	// times in it.
	maxScheduleText  = 2000
	maxScheduleSpans = 500
	// weekDays are two letters each.
	weekDays = "motuwethfrsasu"
)

// ParseSchedule reads days of the week with times, in loc (default: the local zone):
//
//	mo-fr 08:00-18:00; sa 10:00-12:30,14:00-16:00; su
//
// Days are mo, tu, we, th, fr, sa and su, lists of them or ranges, or daily; without
// a time the whole day. A time that ends before it begins lasts into the next day.
// An empty text, or "always", is the zero value. The error says what is wrong and
// what to write instead.
func ParseSchedule(text string, loc *time.Location) (Schedule, error) {
	if loc == nil {
		loc = time.Local
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.EqualFold(text, "always") {
		return Schedule{}, nil
	}
	if len(text) > maxScheduleText {
		return Schedule{}, fmt.Errorf("the schedule has %d characters; write it in at most %d", len(text), maxScheduleText)
	}
	s := Schedule{text: text, zone: loc}
	for part := range strings.SplitSeq(text, ";") {
		spans, err := parseEntry(part)
		if err != nil {
			return Schedule{}, fmt.Errorf("schedule %q: %w", text, err)
		}
		if s.spans = append(s.spans, spans...); len(s.spans) > maxScheduleSpans {
			return Schedule{}, fmt.Errorf("the schedule has more than %d times; join some of them", maxScheduleSpans)
		}
	}
	s.spans = unite(s.spans)
	if len(s.spans) == 1 && s.spans[0] == (weekSpan{0, weekMinutes}) {
		return Schedule{}, nil
	}
	return s, nil
}

// parseEntry reads days and times: "mo-fr 08:00-12:00,13:00-17:00".
func parseEntry(text string) ([]weekSpan, error) {
	fields := strings.Fields(text)
	switch len(fields) {
	case 0:
		return nil, errors.New("there is nothing between two semicolons, or after the last; remove it")
	case 1, 2:
	default:
		return nil, fmt.Errorf("%q has too many parts; write days, a space and times, and a semicolon before the next days: mo-fr 08:00-18:00; sa", strings.TrimSpace(text))
	}
	days, err := parseDays(strings.ToLower(fields[0]))
	if err != nil {
		return nil, err
	}
	times := []weekSpan{{0, dayMinutes}}
	if len(fields) == 2 {
		if times, err = parseTimes(fields[1]); err != nil {
			return nil, err
		}
	}
	var spans []weekSpan
	for _, day := range days {
		for _, t := range times {
			span := weekSpan{day*dayMinutes + t.from, day*dayMinutes + t.to}
			if over := span.to - weekMinutes; over > 0 { // Sunday night
				span.to = weekMinutes
				spans = append(spans, weekSpan{0, over})
			}
			spans = append(spans, span)
		}
	}
	return spans, nil
}

// parseDays reads "mo", "mo-fr,su", "daily"; Monday is 0.
func parseDays(text string) (days []int, err error) {
	if text == "daily" {
		return []int{0, 1, 2, 3, 4, 5, 6}, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, last := dayOf(from), dayOf(to)
		if first < 0 || last < 0 {
			hint := ""
			if strings.Contains(part, ":") {
				hint = "; days come before the times, daily means all of them"
			}
			return nil, fmt.Errorf("%q is no day; days are mo, tu, we, th, fr, sa and su, and ranges of them such as mo-fr%s", part, hint)
		}
		for d := first; ; d = (d + 1) % 7 { // sa-mo goes over the end of the week
			days = append(days, d)
			if d == last {
				break
			}
		}
	}
	return days, nil
}

// dayOf returns the number of a day, or -1.
func dayOf(name string) int {
	if len(name) != 2 {
		return -1
	}
	for d := range 7 {
		if weekDays[2*d:2*d+2] == name {
			return d
		}
	}
	return -1
}

// parseTimes reads "08:00-12:00,13:00-17:00" as minutes of a day, up to two days.
func parseTimes(text string) (times []weekSpan, err error) {
	for part := range strings.SplitSeq(text, ",") {
		a, b, ok := strings.Cut(part, "-")
		from, okFrom := minuteOf(a)
		to, okTo := minuteOf(b)
		switch {
		case !ok || !okFrom || !okTo || from == dayMinutes:
			return nil, fmt.Errorf("%q is no time; write hours and minutes in two digits each, from 00:00 to 24:00: 08:00-18:00", part)
		case from == to:
			return nil, fmt.Errorf("%q ends when it begins; for the whole day leave the time out", part)
		case to < from:
			to += dayMinutes
		}
		times = append(times, weekSpan{from, to})
	}
	return times, nil
}

// minuteOf reads "08:00", up to "24:00".
func minuteOf(text string) (int, bool) {
	if len(text) != 5 || text[2] != ':' {
		return 0, false
	}
	for _, i := range [4]int{0, 1, 3, 4} {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	h, m := int(text[0]-'0')*10+int(text[1]-'0'), int(text[3]-'0')*10+int(text[4]-'0')
	if m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return h*60 + m, true
}

// unite sorts spans and joins those that touch.
func unite(spans []weekSpan) []weekSpan {
	slices.SortFunc(spans, func(a, b weekSpan) int { return cmp.Compare(a.from, b.from) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}
