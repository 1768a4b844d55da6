package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Duration is a time such as "30s", "1h30m" or "30d". A day has 24 hours.
type Duration time.Duration

// UnmarshalText reads it.
func (d *Duration) UnmarshalText(text []byte) error {
	const wrong = "must be a time such as 30s, 10m, 12h or 30d"
	s := string(text)
	var days time.Duration
	if number, rest, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return errors.New(wrong)
		}
		days, s = time.Duration(n)*24*time.Hour, rest
		if s == "" {
			s = "0s"
		}
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		return errors.New(wrong)
	}
	*d = Duration(days + v)
	return nil
}

// Std returns it as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }
