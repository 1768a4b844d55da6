package index

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// Days sums up the days that r touches and on which there is something, in order;
// of the first and the last only what is in r. A day is from midnight to midnight
// in loc: 23 or 25 hours when clocks are changed. Time that several renditions or
// generations cover counts once; the bytes of a segment that lasts over midnight
// are divided by time. Events count on the day on which they begin.
func (x *Index) Days(ctx context.Context, camera string, loc *time.Location, r recordings.Range) (days []recordings.Day, err error) {
	if r.Empty() {
		return nil, nil
	}
	c := &calendar{loc: loc, days: map[string]*recordings.Day{}}
	err = x.view(ctx, "sum up the days of "+camera, func(v *view) error {
		renditions, err := v.renditions(camera)
		if err != nil {
			return err
		}
		var recorded ranges
		for _, rendition := range renditions {
			stream := recordings.Stream{Camera: camera, Rendition: rendition}
			key, generations, err := v.generations(stream)
			if err != nil {
				return err
			}
			for _, generation := range generations {
				if recorded, err = v.days(c, key, generation, r, recorded); err != nil {
					return err
				}
			}
		}
		for _, s := range recorded {
			c.split(s, func(day *recordings.Day, part recordings.Range) { day.Recorded += part.Duration() })
		}
		return v.each(`SELECT start FROM events WHERE camera = ? AND start >= ? AND start < ?`,
			[]any{camera, int64(r.From), int64(r.To)}, func(scan scan) error {
				var start int64
				err := scan(&start)
				c.on(recordings.Time(start)).Events++
				return err
			})
	})
	for _, day := range c.days {
		days = append(days, *day)
	}
	slices.SortFunc(days, func(a, b recordings.Day) int { return strings.Compare(a.Date, b.Date) })
	return days, err
}

// days adds the bytes of one generation to the calendar, and its times to recorded.
func (v *view) days(c *calendar, stream, generation int64, r recordings.Range, recorded ranges) (ranges, error) {
	err := v.each(`SELECT s.start, s.length, s.bytes FROM segments s `+inRange+` ORDER BY s.start`,
		[]any{stream, generation, int64(r.From), int64(r.To)}, func(scan scan) error {
			var start, length, bytes int64
			if err := scan(&start, &length, &bytes); err != nil {
				return err
			}
			whole := recordings.Range{From: recordings.Time(start), To: recordings.Time(start + length)}
			inside := clip(whole, r)
			recorded = recorded.add(inside)
			c.split(inside, func(day *recordings.Day, part recordings.Range) {
				if part == whole {
					day.Bytes += bytes
					return
				}
				day.Bytes += int64(float64(bytes) * float64(part.To-part.From) / float64(length))
			})
			return nil
		})
	return recorded, err
}

// renditions returns those of the camera, by name.
func (v *view) renditions(camera string) (renditions []string, err error) {
	err = v.each(`SELECT rendition FROM streams WHERE camera = ? ORDER BY rendition`, []any{camera}, func(scan scan) error {
		var rendition string
		err := scan(&rendition)
		renditions = append(renditions, rendition)
		return err
	})
	return renditions, err
}

// calendar is the days of a place.
type calendar struct {
	loc  *time.Location
	days map[string]*recordings.Day
	// last is the day asked for last, which is mostly the next one too, and part
	// when it is.
	last *recordings.Day
	part recordings.Range
}

// split calls add for each day that r touches, with the part that is on it; twice
// for days on which clocks are changed.
func (c *calendar) split(r recordings.Range, add func(day *recordings.Day, part recordings.Range)) {
	for !r.Empty() {
		day := c.on(r.From)
		part := clip(r, c.part)
		add(day, part)
		r.From = part.To
	}
}

// on returns the day of t, and notes the part of it around t in which clocks are
// not changed: 24 hours, if they are not. Nothing else is needed of time zones,
// neither that a day begins at 00:00 nor that it is in one piece.
func (c *calendar) on(t recordings.Time) *recordings.Day {
	if c.last != nil && c.part.From <= t && t < c.part.To {
		return c.last
	}
	local := t.Std().In(c.loc)
	hour, minute, second := local.Clock()
	passed := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(local.Nanosecond())
	c.part.From = t.Add(-passed)
	c.part.To = c.part.From.Add(24 * time.Hour)
	from, to := local.ZoneBounds()
	if !from.IsZero() {
		c.part.From = max(c.part.From, recordings.TimeOf(from))
	}
	if !to.IsZero() {
		c.part.To = min(c.part.To, recordings.TimeOf(to))
	}
	date := local.Format(time.DateOnly)
	if c.days[date] == nil {
		c.days[date] = &recordings.Day{Date: date}
	}
	c.last = c.days[date]
	return c.last
}
