package index

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/recordings"
)

// hole is a gap in seconds after noon.
type hole struct {
	From, To float64
	Cause    recordings.Cause
}

func timelineOf(t *testing.T, x *Index, from, to float64, resolution time.Duration) (recorded [][2]float64, holes []hole) {
	t.Helper()
	line := must(x.Timeline(t.Context(), front(), recordings.Range{From: at(from), To: at(to)}, resolution))(t)
	for _, r := range line.Ranges {
		recorded = append(recorded, secondsOf(r))
	}
	for _, g := range line.Gaps {
		if g.Stream != front() {
			t.Errorf("a gap of %s", g.Stream)
		}
		r := secondsOf(g.Range)
		holes = append(holes, hole{r[0], r[1], g.Cause})
	}
	return recorded, holes
}

func TestTimeline_HolesAreExplained(t *testing.T) {
	x := open(t)
	gap := func(a, b float64, cause recordings.Cause) recordings.Gap {
		return recordings.Gap{Stream: front(), Range: recordings.Range{From: at(a), To: at(b)}, Cause: cause}
	}
	first, crashed, named, silent := segment(front(), 0, 0, 10), segment(front(), 0, 20, 30), segment(front(), 0, 50, 60), segment(front(), 0, 60.4, 70)
	first.Gaps = []recordings.Gap{gap(-20, -10, recordings.Paused)}
	first.Before = recordings.NotRecording
	crashed.Before = recordings.Crash
	named.Before = recordings.DiskSlow
	named.Gaps = []recordings.Gap{gap(30, 35, recordings.CameraOffline), gap(35, 41, recordings.Paused), gap(45, 55, recordings.DiskFull)}
	later := segment(front(), 0, 100, 110)
	gone := segment(front(), 0, 80, 90)
	gone.Gaps = []recordings.Gap{gap(70, 80, recordings.Schedule)}
	ok(t, x.Put(t.Context(), first, crashed, named, silent, later, gone))
	ok(t, x.Tombstone(t.Context(), gone.Ref))
	all := []hole{{-20, -10, recordings.Paused}, {10, 20, recordings.Crash}, {30, 35, recordings.CameraOffline}, {35, 41, recordings.Paused},
		{41, 45, recordings.DiskSlow}, {45, 50, recordings.DiskFull}, {60, 60.4, recordings.Unknown}, {70, 100, recordings.Unknown}}
	for name, c := range map[string]struct {
		from, to   float64
		resolution time.Duration
		ranges     [][2]float64
		holes      []hole
	}{
		"all":               {-100, 200, 0, [][2]float64{{0, 10}, {20, 30}, {50, 60}, {60.4, 70}, {100, 110}}, all},
		"by the second":     {-100, 200, time.Second, [][2]float64{{0, 10}, {20, 30}, {50, 70}, {100, 110}}, append(append([]hole{}, all[:6]...), all[7])},
		"by 11 seconds":     {-100, 200, 11 * time.Second, [][2]float64{{0, 30}, {50, 70}, {100, 110}}, all[7:]},
		"by the minute":     {-100, 200, time.Minute, [][2]float64{{0, 110}}, nil},
		"inside a segment":  {2, 8, 0, [][2]float64{{2, 8}}, nil},
		"inside a hole":     {36, 38, 0, nil, []hole{{36, 38, recordings.Paused}}},
		"from a hole on":    {15, 25, 0, [][2]float64{{20, 25}}, []hole{{15, 20, recordings.Crash}}},
		"up to a hole":      {5, 15, 0, [][2]float64{{5, 10}}, []hole{{10, 15, recordings.Crash}}},
		"before everything": {-50, -30, 0, nil, nil},
		"after everything":  {120, 130, 0, nil, nil},
		"what was deleted":  {75, 95, 0, nil, []hole{{75, 95, recordings.Unknown}}},
	} {
		ranges, holes := timelineOf(t, x, c.from, c.to, c.resolution)
		if diff := cmp.Diff(c.ranges, ranges); diff != "" {
			t.Errorf("%s, recorded:\n%s", name, diff)
		}
		if diff := cmp.Diff(c.holes, holes); diff != "" {
			t.Errorf("%s, gaps:\n%s", name, diff)
		}
	}
	if _, err := x.Timeline(t.Context(), front(), forever(), 0); err != nil {
		t.Error(err)
	}
}

func TestTimeline_ABackfillEndsAGap(t *testing.T) {
	x := open(t)
	after := segment(front(), 0, 30, 40)
	after.Gaps = []recordings.Gap{{Stream: front(), Range: recordings.Range{From: at(10), To: at(30)}, Cause: recordings.AgentUnreachable}}
	ok(t, x.Put(t.Context(), segment(front(), 0, 0, 10), after))
	fetched := segment(front(), 0, 10, 25)
	fetched.Origin = recordings.Backfill
	ok(t, x.Put(t.Context(), fetched))
	ranges, holes := timelineOf(t, x, 0, 40, 0)
	if diff := cmp.Diff([][2]float64{{0, 25}, {30, 40}}, ranges); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]hole{{25, 30, recordings.AgentUnreachable}}, holes); diff != "" {
		t.Error(diff)
	}
}

func TestTimeline_GenerationsTogether(t *testing.T) {
	x := generations(t)
	ranges, holes := timelineOf(t, x, -100, 100, 0)
	if diff := cmp.Diff([][2]float64{{0, 60}, {70, 80}}, ranges); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]hole{{60, 70, recordings.Unknown}}, holes); diff != "" {
		t.Error(diff)
	}
}
