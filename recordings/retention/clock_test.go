package retention

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// A look of a clock, in days since a date: what it shows, and since when it runs.
type look struct {
	wall, uptime float64
	ends         []float64
}

func days(d float64) time.Duration { return time.Duration(d * float64(day)) }

func TestClock_SkipsWhatMayNotHavePassed(t *testing.T) {
	in1970 := -float64(now().Std().Unix())/86400 + 1
	for _, c := range []struct {
		name  string
		looks []look
		want  []float64 // from, to, ...
	}{
		{"runs as it should", []look{{0, 0, []float64{0}}, {3, 3, []float64{3}}}, nil},
		{"nothing is recorded", []look{{0, 0, nil}, {3, 3, nil}}, nil},
		{"was off", []look{{9, 0, []float64{1, 2}}, {10, 1, []float64{10}}}, []float64{2, 9}},
		{"leaps", []look{{0, 0, []float64{0}}, {366, 1, []float64{366}}, {367, 2, []float64{367}}}, []float64{1, 366}},
		{"leaps and is set back", []look{{0, 0, []float64{0}}, {366, 1, nil}, {2, 2, []float64{366}}}, []float64{1, 2}},
		{"leaps twice to the same time", []look{{0, 0, []float64{0}}, {366, 1, nil}, {2, 2, []float64{366}}, {367, 3, []float64{366}}}, []float64{1, 2, 3, 367}},
		{"was not set at first", []look{{in1970, 0, []float64{-2}}, {5, 1, []float64{-2}}}, []float64{-1, 5}},
		{"was not set at first, nothing recorded", []look{{in1970, 0, nil}, {5, 1, []float64{5}}}, []float64{in1970 + 1, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var k clock
			for _, l := range c.looks {
				var ends []recordings.Time
				for _, e := range l.ends {
					ends = append(ends, now().Add(days(e)))
				}
				k.look(now().Add(days(l.wall)), days(l.uptime), ends)
			}
			var got []float64
			for _, r := range k.skipped {
				for _, at := range []recordings.Time{r.From, r.To} {
					got = append(got, at.Sub(now()).Hours()/24)
				}
			}
			if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return a-b < 1e-3 && b-a < 1e-3 }) {
				t.Errorf("skipped %v, want %v", got, c.want)
			}
		})
	}
	var k clock
	for i := range 10 * leaps { // it may do so for ever
		k.look(now().Add(time.Duration(i)*time.Hour), 0, nil)
	}
	if len(k.skipped) > leaps || k.skipped[0].From != now() {
		t.Errorf("%d ranges from %v on", len(k.skipped), k.skipped[0].From)
	}
}

func TestKeeper_AClockThatLeapsDeletesNothing(t *testing.T) {
	virtual(t, func(t *testing.T) {
		var log strings.Builder
		a := &attic{disks: map[string]int64{"d": 1000 * gigabyte}}
		a.add("front", time.Now(), 288, nil) // a day
		shift := time.Duration(0)
		o := Options{Store: a, Every: 5 * time.Minute, Rules: func(string) Rules { return Rules{Keep: 48 * time.Hour} }, wall: func(t time.Time) recordings.Time {
			a.mu.Lock()
			defer a.mu.Unlock()
			return recordings.TimeOf(t).Add(shift)
		}}
		run(t, o, &log)
		<-time.After(time.Minute)
		a.set(func() {
			shift = 366 * day
			a.add("front", time.Now().Add(shift+time.Minute), 1, nil)
		})
		<-time.After(23 * time.Hour)
		if n := a.left(); n != 289 {
			t.Fatalf("%d are left, want all", n)
		}
		<-time.After(26 * time.Hour) // but it does not keep them for ever either
		if n := a.left(); n != 0 {
			t.Errorf("%d are left, want none", n)
		}
		synctest.Wait()
		if !strings.Contains(log.String(), "the clock leapt ahead") {
			t.Errorf("nobody said so: %s", log.String())
		}
	})
}
