package camera

import "time"

// lineLimiter holds back log lines that were written a short while ago and
// counts them. It remembers at most maxLines different ones.
type lineLimiter struct {
	every time.Duration // constant
	lines map[string]*line
}

const maxLines = 32

type line struct {
	written time.Time
	held    int
}

// allow reports whether a line may be written now, and how many equal ones
// were held back since the last.
func (l *lineLimiter) allow(key string, now time.Time) (held int, ok bool) {
	if known, found := l.lines[key]; found {
		if now.Sub(known.written) < l.every {
			known.held++
			return 0, false
		}
		held = known.held
	}
	if l.lines == nil || len(l.lines) >= maxLines {
		l.lines = make(map[string]*line)
	}
	l.lines[key] = &line{written: now}
	return held, true
}
