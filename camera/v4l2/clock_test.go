package v4l2

import (
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

func TestClock_TakesTheDriversTimeWhereItMakesSense(t *testing.T) {
	begin := time.Now()
	now := begin.Add(2 * time.Second)
	const monotonic = 5000 * time.Second
	for _, c := range []struct {
		name string
		f    uapi.Frame
		age  time.Duration
	}{
		{"of the driver", uapi.Frame{HasTime: true, Time: monotonic - 20*time.Millisecond}, 20 * time.Millisecond},
		{"of the driver, a picture ahead", uapi.Frame{HasTime: true, Time: monotonic + 33*time.Millisecond}, -33 * time.Millisecond},
		{"none", uapi.Frame{Time: monotonic - 20*time.Millisecond}, 0},
		{"of the future", uapi.Frame{HasTime: true, Time: monotonic + time.Second}, 0},
		{"of another clock", uapi.Frame{HasTime: true, Time: 3 * time.Second}, 0},
		{"negative", uapi.Frame{HasTime: true, Time: -1 << 63}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := (&clock{begin: begin}).at(c.f, monotonic, now)
			want := now.Add(-c.age)
			if !at.captured.Equal(want) || !at.arrived.Equal(now) {
				t.Errorf("captured %v before it arrived, want %v", now.Sub(at.captured), c.age)
			}
			if pts := int64((2*time.Second - c.age) * clockRate / time.Second); at.pts != pts {
				t.Errorf("PTS %d, want %d", at.pts, pts)
			}
		})
	}
}

func TestClock_CountsForYears(t *testing.T) {
	begin := time.Now()
	at := (&clock{begin: begin}).at(uapi.Frame{}, 0, begin.Add(10*365*24*time.Hour))
	if want := int64(10*365*24*3600) * clockRate; at.pts != want {
		t.Errorf("PTS %d after ten years, want %d", at.pts, want)
	}
}
