package recorder

import (
	"strings"
	"testing"
	"time"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	return loc
}

func TestSchedule_Active(t *testing.T) {
	loc := berlin(t)
	for _, c := range []struct {
		text    string
		yes, no []string
	}{
		{"", []string{"2026-11-21 00:00"}, nil},
		{" Always ", []string{"2026-11-21 00:00"}, nil},
		{"daily", []string{"2026-11-21 00:00"}, nil},
		{"mo-su 00:00-24:00", []string{"2026-11-21 00:00"}, nil},
		{
			"mo-fr 08:00-18:00",
			[]string{"2026-11-16 08:00", "2026-11-20 17:59"},
			[]string{"2026-11-16 07:59", "2026-11-20 18:00", "2026-11-21 12:00"},
		},
		{
			"MO,We 08:00-12:00,13:00-17:00 ; su",
			[]string{"2026-11-16 11:59", "2026-11-18 13:00", "2026-11-22 00:00", "2026-11-22 23:59"},
			[]string{"2026-11-17 09:00", "2026-11-18 12:30", "2026-11-21 23:59", "2026-11-23 00:00"},
		},
		{
			"daily 22:00-06:00",
			[]string{"2026-11-16 05:59", "2026-11-22 22:00", "2026-11-23 00:00"},
			[]string{"2026-11-16 06:00", "2026-11-22 21:59"},
		},
		{
			"sa-mo",
			[]string{"2026-11-21 00:00", "2026-11-22 12:00", "2026-11-23 23:59"},
			[]string{"2026-11-20 23:59", "2026-11-24 00:00"},
		},
		{
			"su 23:00-01:00",
			[]string{"2026-11-22 23:00", "2026-11-23 00:59"},
			[]string{"2026-11-22 22:59", "2026-11-23 01:00", "2026-11-22 00:30"},
		},
	} {
		s, err := ParseSchedule(c.text, loc)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		for want, list := range map[bool][]string{true: c.yes, false: c.no} {
			for _, when := range list {
				at, err := time.ParseInLocation("2006-01-02 15:04", when, loc)
				if err != nil {
					t.Fatal(err)
				}
				if s.Active(at.UTC()) != want {
					t.Errorf("%q at %s: active %t", c.text, when, !want)
				}
			}
		}
	}
}

func TestSchedule_FollowsTheZone(t *testing.T) {
	s, err := ParseSchedule("daily 08:00-09:00", berlin(t))
	if err != nil {
		t.Fatal(err)
	}
	for when, want := range map[string]bool{
		"2026-03-28T07:30:00Z": true, "2026-03-29T06:30:00Z": true, "2026-03-29T07:30:00Z": false, // summer time
	} {
		at, err := time.Parse(time.RFC3339, when)
		if err != nil {
			t.Fatal(err)
		}
		if s.Active(at) != want {
			t.Errorf("at %s: active %t", when, !want)
		}
	}
}

func TestSchedule_Next(t *testing.T) {
	loc := berlin(t)
	for _, c := range []struct{ text, now, want string }{
		{"mo-fr 08:00-18:00", "2026-11-21 12:00", "2026-11-23 08:00"},
		{"mo-fr 08:00-18:00", "2026-11-20 12:00", "2026-11-20 18:00"},
		{"sa,su", "2026-11-21 12:00", "2026-11-23 00:00"},
		{"daily 08:00-09:00", "2026-03-28 09:00", "2026-03-29 08:00"},
		{"mo 00:00-24:00", "2026-11-24 00:00", "2026-11-30 00:00"},
	} {
		s, err := ParseSchedule(c.text, loc)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.ParseInLocation("2006-01-02 15:04", c.now, loc)
		if got := s.Next(at).In(loc).Format("2006-01-02 15:04"); got != c.want {
			t.Errorf("%q after %s: %s, want %s", c.text, c.now, got, c.want)
		}
	}
	if s := (Schedule{}); !s.Next(time.Now()).IsZero() {
		t.Error("always changes")
	}
}

func TestParseSchedule_SaysWhatToWrite(t *testing.T) {
	for text, want := range map[string]string{
		"monday":                     `"monday" is no day; days are mo,`,
		"mo-fr 8-18":                 `"8-18" is no time; write hours and minutes in two digits each`,
		"mo-fr 08:00":                `"08:00" is no time`,
		"mo-fr 24:00-06:00":          `is no time`,
		"mo-fr 08:60-09:00":          `is no time`,
		"mo-fr 08:00-08:00":          `leave the time out`,
		"08:00-18:00":                `days come before the times`,
		"mo-fr 08:00-18:00;":         `remove it`,
		"mo-fr 08:00-18:00 sa":       `a semicolon before the next days`,
		"mo--fr":                     `"mo--fr" is no day`,
		"mo,":                        `"" is no day`,
		strings.Repeat("mo ;", 1000): `at most 2000`,
		strings.Repeat("daily;", 80) + "daily 00:00-01:00,02:00-03:00,04:00-05:00": "more than 500",
	} {
		_, err := ParseSchedule(text, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want one with %q", text, err, want)
		}
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, text := range []string{
		"", "always", "mo-fr 08:00-18:00; sa 10:00-14:00", "daily 22:00-06:00", "su 23:00-01:00,05:00-06:00;mo,we-fr", "mo 24:00-00:00;;",
	} {
		f.Add(text, int64(1_795_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		s, err := ParseSchedule(text, time.UTC)
		if err != nil {
			return
		}
		again, err := ParseSchedule(s.String(), time.UTC)
		if err != nil {
			t.Fatalf("%q is read, its text %q is not: %v", text, s.String(), err)
		}
		at := time.Unix(unix%1e11, 0)
		if s.Active(at) != again.Active(at) {
			t.Errorf("%q and %q differ", text, s.String())
		}
		if next := s.Next(at); !next.IsZero() && (!next.After(at) || s.Active(next) == s.Active(at)) {
			t.Errorf("%q: nothing changes from %v to %v", text, at, next)
		}
	})
}
