package index

import (
	"testing"
	"time"
	_ "time/tzdata" // a machine that tests may have no zones

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/recordings"
)

// hourly returns segments of an hour each, 3600 bytes large.
func hourly(stream recordings.Stream, from time.Time, hours int) (segs []recordings.Segment) {
	for i := range hours {
		s := segment(stream, 0, 0, 0)
		s.Start = recordings.TimeOf(from.Add(time.Duration(i) * time.Hour))
		s.End = s.Start.Add(time.Hour)
		s.Bytes = 3600
		segs = append(segs, s)
	}
	return segs
}

func TestDays_WhenClocksChange(t *testing.T) {
	for _, c := range []struct {
		zone string
		from time.Time
		days []recordings.Day
	}{
		{"Europe/Berlin", time.Date(2025, 3, 29, 0, 0, 0, 0, time.UTC), []recordings.Day{ // 02:00 -> 03:00
			{Date: "2025-03-29", Recorded: 23 * time.Hour, Bytes: 23 * 3600}, {Date: "2025-03-30", Recorded: 23 * time.Hour, Bytes: 23 * 3600},
			{Date: "2025-03-31", Recorded: 24 * time.Hour, Bytes: 24 * 3600}, {Date: "2025-04-01", Recorded: 2 * time.Hour, Bytes: 2 * 3600}}},
		{"Europe/Berlin", time.Date(2025, 10, 25, 0, 0, 0, 0, time.UTC), []recordings.Day{ // 03:00 -> 02:00
			{Date: "2025-10-25", Recorded: 22 * time.Hour, Bytes: 22 * 3600}, {Date: "2025-10-26", Recorded: 25 * time.Hour, Bytes: 25 * 3600},
			{Date: "2025-10-27", Recorded: 24 * time.Hour, Bytes: 24 * 3600}, {Date: "2025-10-28", Recorded: time.Hour, Bytes: 3600}}},
		{"America/Santiago", time.Date(2025, 9, 7, 0, 0, 0, 0, time.UTC), []recordings.Day{ // 24:00 -> 01:00: no midnight
			{Date: "2025-09-06", Recorded: 4 * time.Hour, Bytes: 4 * 3600}, {Date: "2025-09-07", Recorded: 23 * time.Hour, Bytes: 23 * 3600},
			{Date: "2025-09-08", Recorded: 24 * time.Hour, Bytes: 24 * 3600}, {Date: "2025-09-09", Recorded: 21 * time.Hour, Bytes: 21 * 3600}}},
		{"Asia/Kathmandu", time.Date(2025, 9, 7, 0, 0, 0, 0, time.UTC), []recordings.Day{ // +05:45, segments last over midnight
			{Date: "2025-09-07", Recorded: 18*time.Hour + 15*time.Minute, Bytes: 18*3600 + 900}, {Date: "2025-09-08", Recorded: 24 * time.Hour, Bytes: 24 * 3600},
			{Date: "2025-09-09", Recorded: 24 * time.Hour, Bytes: 24 * 3600}, {Date: "2025-09-10", Recorded: 5*time.Hour + 45*time.Minute, Bytes: 5*3600 + 2700}}},
	} {
		t.Run(c.zone+c.from.Format("-01"), func(t *testing.T) {
			x := open(t)
			ok(t, x.Put(t.Context(), hourly(front(), c.from, 72)...))
			got := must(x.Days(t.Context(), "front", must(time.LoadLocation(c.zone))(t), forever()))(t)
			if diff := cmp.Diff(c.days, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDays_CountWhatIsThereOnce(t *testing.T) {
	x := open(t)
	sub := recordings.Stream{Camera: "front", Rendition: recordings.Sub}
	other := recordings.Stream{Camera: "back", Rendition: recordings.Main}
	day := time.Date(2025, 11, 21, 0, 0, 0, 0, berlin(t))
	ok(t, x.Put(t.Context(), hourly(front(), day, 5)...))
	ok(t, x.Put(t.Context(), hourly(sub, day.Add(2*time.Hour), 5)...))
	ok(t, x.Put(t.Context(), hourly(other, day, 20)...))
	again := hourly(front(), day.Add(30*time.Minute), 1)[0]
	again.Generation = 1
	ok(t, x.Put(t.Context(), again))
	ok(t, x.Tombstone(t.Context(), hourly(sub, day.Add(6*time.Hour), 1)[0].Ref))
	for i, after := range []time.Duration{0, time.Hour, 30 * time.Hour} {
		start := recordings.TimeOf(day.Add(after))
		ok(t, x.PutEvent(t.Context(), recordings.Event{ID: string(rune('a' + i)), Camera: "front", Range: recordings.Range{From: start, To: start + 1}}))
	}
	want := []recordings.Day{{Date: "2025-11-21", Recorded: 6 * time.Hour, Bytes: 10 * 3600, Events: 2}, {Date: "2025-11-22", Events: 1}}
	if diff := cmp.Diff(want, must(x.Days(t.Context(), "front", berlin(t), forever()))(t)); diff != "" {
		t.Error(diff)
	}
	part := recordings.Range{From: recordings.TimeOf(day.Add(90 * time.Minute)), To: recordings.TimeOf(day.Add(3 * time.Hour))}
	want = []recordings.Day{{Date: "2025-11-21", Recorded: 90 * time.Minute, Bytes: 2*3600 + 1800}}
	if diff := cmp.Diff(want, must(x.Days(t.Context(), "front", berlin(t), part))(t)); diff != "" {
		t.Errorf("a part:\n%s", diff)
	}
	if got := must(x.Days(t.Context(), "nobody", berlin(t), forever()))(t); got != nil {
		t.Errorf("of nobody: %v", got)
	}
}

func TestDays_EventsOfTheNightBeforeClocksChange(t *testing.T) {
	x := open(t)
	ok(t, x.Put(t.Context(), hourly(front(), time.Date(2025, 3, 30, 4, 0, 0, 0, berlin(t)), 1)...))
	for i, begin := range []time.Time{time.Date(2025, 3, 29, 23, 30, 0, 0, berlin(t)), time.Date(2025, 3, 30, 0, 30, 0, 0, berlin(t))} {
		start := recordings.TimeOf(begin)
		ok(t, x.PutEvent(t.Context(), recordings.Event{ID: string(rune('a' + i)), Camera: "front", Range: recordings.Range{From: start, To: start}}))
	}
	want := []recordings.Day{{Date: "2025-03-29", Events: 1}, {Date: "2025-03-30", Recorded: time.Hour, Bytes: 3600, Events: 1}}
	if diff := cmp.Diff(want, must(x.Days(t.Context(), "front", berlin(t), forever()))(t)); diff != "" {
		t.Error(diff)
	}
}

func TestDays_EveryInstantIsOnOneDay(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/Santiago", "Africa/Cairo", "Asia/Beirut", "America/St_Johns", "Pacific/Apia", "America/Havana", "UTC"} {
		c := &calendar{loc: must(time.LoadLocation(zone))(t), days: map[string]*recordings.Day{}}
		from, to := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2012, 6, 1, 0, 0, 0, 0, time.UTC)
		all := recordings.Range{From: recordings.TimeOf(from), To: recordings.TimeOf(to)}
		reached, length := all.From, map[string]time.Duration{}
		c.split(all, func(day *recordings.Day, part recordings.Range) {
			if part.From != reached || part.Empty() {
				t.Fatalf("%s: %s lasts from %s to %s, expected from %s", zone, day.Date, part.From, part.To, reached)
			}
			for _, instant := range []recordings.Time{part.From, part.To - 1} {
				if date := instant.Std().In(c.loc).Format(time.DateOnly); date != day.Date {
					t.Fatalf("%s: %s is on %s, not on %s", zone, instant, date, day.Date)
				}
			}
			reached = part.To
			if length[day.Date] += part.Duration(); length[day.Date] > 25*time.Hour {
				t.Fatalf("%s: %s lasts %v", zone, day.Date, length[day.Date])
			}
		})
		if reached != all.To {
			t.Errorf("%s: it ends at %s", zone, reached)
		}
	}
}
