package retention

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

const (
	day  = 24 * time.Hour
	size = 100 // bytes of each segment
)

func now() recordings.Time {
	return recordings.TimeOf(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
}

// seg is a segment of five minutes that began so long ago, on disk d.
func seg(camera string, ago time.Duration) Segment {
	start := now().Add(-ago)
	return Segment{
		Ref: recordings.Ref{Stream: recordings.Stream{Camera: camera, Rendition: recordings.Main}, Start: start},
		End: start.Add(5 * time.Minute), Dir: "d", Bytes: size,
	}
}

func (s Segment) sub() Segment {
	s.Rendition = recordings.Sub
	return s
}

func (s Segment) on(dir string) Segment {
	s.Dir = dir
	return s
}

func (s Segment) at(start recordings.Time, generation int) Segment {
	s.Start, s.End, s.Generation = start, start.Add(5*time.Minute), generation
	return s
}

// around is a range that began so long ago.
func around(ago, length time.Duration) recordings.Range {
	from := now().Add(-ago)
	return recordings.Range{From: from, To: from.Add(length)}
}

// say writes a plan as "age a/main -8d, disk-space b/sub -3d".
func say(p Plan) string {
	var parts []string
	for _, d := range p.Delete {
		parts = append(parts, string(d.Reason)+" "+d.String()+" -"+now().Sub(d.Start).String())
	}
	for _, s := range p.Short {
		parts = append(parts, "short "+s.ID)
	}
	return strings.Join(parts, ", ")
}

func TestMake(t *testing.T) {
	week := Rules{Keep: 7 * day}
	long := Rules{Keep: 7 * day, KeepEvents: 30 * day}
	full := []Disk{{ID: "d", Free: 50, Low: 100, High: 300}}
	for _, c := range []struct {
		name    string
		cameras map[string]Camera
		disks   []Disk
		segs    []Segment
		limit   int
		want    string
	}{
		{name: "nothing is limited", cameras: map[string]Camera{"a": {}}, segs: []Segment{seg("a", 1000*day)}},
		{
			name: "by age, the end counts, the oldest first", cameras: map[string]Camera{"a": {Rules: week}, "b": {Rules: Rules{Keep: day}}, "c": {}},
			segs: []Segment{seg("a", 7*day), seg("a", 8*day), seg("b", 2*day).sub(), seg("b", day), seg("c", 99*day), seg("a", 7*day+5*time.Minute+time.Second)},
			want: "age a/main -192h0m0s, age a/main -168h5m1s, age b/sub -48h0m0s",
		},
		{
			name: "events are kept longer, and what belongs to them",
			cameras: map[string]Camera{"a": {Rules: long, Events: []recordings.Range{
				around(10*day, 0), around(40*day, time.Minute), around(12*day-5*time.Minute-4*time.Second, 0),
				around(14*day+15*time.Second, 0), around(16*day-5*time.Minute-6*time.Second, 0),
			}}},
			segs: []Segment{seg("a", 8*day), seg("a", 10*day), seg("a", 40*day), seg("a", 12*day), seg("a", 14*day), seg("a", 16*day)},
			want: "age a/main -960h0m0s, age a/main -384h0m0s, age a/main -192h0m0s",
		},
		{
			name:    "events alone do not limit anything",
			cameras: map[string]Camera{"a": {Rules: Rules{KeepEvents: day}, Events: []recordings.Range{around(9*day, 0)}}},
			segs:    []Segment{seg("a", 8*day), seg("a", 9*day)},
		},
		{
			name:    "locked clips stay, whatever happens",
			cameras: map[string]Camera{"a": {Rules: Rules{Keep: day, MaxBytes: 1}, Bytes: 900, Locks: []recordings.Range{around(9*day-time.Minute, time.Minute), around(4*day, 0)}}},
			disks:   full,
			segs:    []Segment{seg("a", 9*day), seg("a", 8*day), seg("a", 4*day)},
			want:    "age a/main -192h0m0s",
		},
		{
			name:    "by bytes of the camera, all renditions together, the oldest first",
			cameras: map[string]Camera{"a": {Rules: Rules{MaxBytes: 250}, Bytes: 500}, "b": {Bytes: 500}},
			segs:    []Segment{seg("a", 1*day), seg("a", 3*day), seg("a", 3*day).sub(), seg("a", 2*day), seg("a", 2*day).sub(), seg("b", 9*day)},
			want:    "camera-bytes a/main -72h0m0s, camera-bytes a/sub -72h0m0s, camera-bytes a/main -48h0m0s",
		},
		{
			name:    "what is locked does not count",
			cameras: map[string]Camera{"a": {Rules: Rules{MaxBytes: 250}, Bytes: 600, Locked: 300, Locks: []recordings.Range{around(9*day, 3*day)}}},
			segs:    []Segment{seg("a", 9*day), seg("a", 8*day), seg("a", 7*day), seg("a", 1*day), seg("a", 3*day), seg("a", 2*day)},
			want:    "camera-bytes a/main -72h0m0s",
		},
		{
			name:    "what is too old already makes room",
			cameras: map[string]Camera{"a": {Rules: Rules{Keep: day, MaxBytes: 300}, Bytes: 400}},
			disks:   []Disk{{ID: "d", Free: 250, Low: 300, High: 350}},
			segs:    []Segment{seg("a", 9*day), seg("a", time.Hour), seg("a", 2*time.Hour)},
			want:    "age a/main -216h0m0s",
		},
		{
			name:    "where room is needed the oldest of all cameras go, up to the mark",
			cameras: map[string]Camera{"a": {}, "b": {}}, disks: full,
			segs: []Segment{seg("a", 1*day), seg("b", 3*day), seg("a", 5*day).on("e"), seg("b", 4*day).sub(), seg("a", 2*day)},
			want: "disk-space b/sub -96h0m0s, disk-space b/main -72h0m0s, disk-space a/main -48h0m0s",
		},
		{
			name:    "an agent with more than half gives way first, until it has half",
			cameras: map[string]Camera{"a": {Bytes: 300}, "r": {Rules: Rules{Agent: "x"}, Bytes: 300}, "q": {Rules: Rules{Agent: "x"}, Bytes: 100}}, disks: full,
			segs: []Segment{seg("a", 9*day), seg("r", 3*day), seg("a", 8*day), seg("q", 2*day), seg("r", time.Hour)},
			want: "disk-space r/main -72h0m0s, disk-space a/main -216h0m0s, disk-space q/main -48h0m0s",
		},
		{
			name:    "of two agents each has a third",
			cameras: map[string]Camera{"a": {Bytes: 300}, "r": {Rules: Rules{Agent: "x"}, Bytes: 500}, "q": {Rules: Rules{Agent: "y"}, Bytes: 100}}, disks: full,
			segs: []Segment{seg("a", 9*day), seg("q", 5*day), seg("r", 2*day), seg("r", 3*day), seg("r", time.Hour)},
			want: "disk-space r/main -72h0m0s, disk-space r/main -48h0m0s, disk-space r/main -1h0m0s",
		},
		{
			name:    "an agent alone has everything, and one whose cameras are bounded as much as they say",
			cameras: map[string]Camera{"a": {Bytes: 100}, "r": {Rules: Rules{Agent: "x", MaxBytes: 1000}, Bytes: 900}}, disks: full,
			segs: []Segment{seg("a", 9*day), seg("r", 3*day), seg("a", 8*day), seg("r", 2*day)},
			want: "disk-space a/main -216h0m0s, disk-space a/main -192h0m0s, disk-space r/main -72h0m0s",
		},
		{
			name:    "what an agent has on another disk counts, and is left",
			cameras: map[string]Camera{"a": {Bytes: 100}, "r": {Rules: Rules{Agent: "x"}, Bytes: 900}}, disks: []Disk{{ID: "d", Free: 50, Low: 100, High: 150}},
			segs: []Segment{seg("a", 9*day), seg("r", 8*day).on("e"), seg("r", 2*day)},
			want: "disk-space r/main -48h0m0s",
		},
		{
			name:    "there is room enough",
			cameras: map[string]Camera{"a": {}}, disks: []Disk{{ID: "d", Free: 100, Low: 100, High: 300}},
			segs: []Segment{seg("a", 1*day)},
		},
		{
			name:    "events count as younger where room is needed",
			cameras: map[string]Camera{"a": {Rules: long, Events: []recordings.Range{around(6*day, 0)}}, "b": {}}, disks: full,
			segs: []Segment{seg("a", 6*day), seg("a", 2*day), seg("b", time.Hour), seg("a", 3*day)},
			want: "disk-space a/main -72h0m0s, disk-space a/main -48h0m0s, disk-space b/main -1h0m0s",
		},
		{
			name:    "but not as young as that",
			cameras: map[string]Camera{"a": {Rules: Rules{KeepEvents: 2 * day}, Events: []recordings.Range{around(6*day, 0)}}, "b": {}}, disks: full,
			segs: []Segment{seg("a", 6*day), seg("a", 5*day), seg("b", time.Hour), seg("a", 3*day)},
			want: "disk-space a/main -120h0m0s, disk-space a/main -144h0m0s, disk-space a/main -72h0m0s",
		},
		{
			name:    "not enough may be deleted",
			cameras: map[string]Camera{"a": {Locks: []recordings.Range{around(99*day, 99*day)}}}, disks: full,
			segs: []Segment{seg("a", 6*day), seg("a", 2*day)},
			want: "short d",
		},
		{
			name:    "a little at a time",
			cameras: map[string]Camera{"a": {Rules: week}}, limit: 2,
			segs: []Segment{seg("a", 9*day), seg("a", 12*day), seg("a", 11*day), seg("a", 10*day)},
			want: "age a/main -288h0m0s, age a/main -264h0m0s",
		},
		{
			name:    "cameras that nobody knows are left alone",
			cameras: map[string]Camera{}, disks: full, segs: []Segment{seg("a", 99*day)},
			want: "short d",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := State{Now: now(), Started: now().Add(-time.Hour), Cameras: c.cameras, Disks: c.disks, Segments: c.segs, Limit: 100}
			if c.limit > 0 {
				s.Limit = c.limit
			}
			if got := say(Make(s)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// What was recorded with a clock that had not been set is not taken for ancient, nor
// for eternally young.
func TestMake_ClockThatWasNotSet(t *testing.T) {
	in1970 := seg("a", 0).at(recordings.Time(20_000_000), 0)
	in2040 := seg("a", 0).at(recordings.TimeOf(time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)), 1)
	cameras := map[string]Camera{"a": {Rules: Rules{Keep: 7 * day}, Bytes: 400}}
	later := func(ago time.Duration) Segment {
		s := seg("a", ago)
		s.Generation = 2
		return s
	}
	for _, c := range []struct {
		name    string
		started time.Duration // ago
		segs    []Segment
		want    []recordings.Time
	}{
		{"recorded within the week", day, []Segment{in1970, in2040, later(3 * day)}, nil},
		{"this process has run for longer", 8 * day, []Segment{in1970, in2040, later(3 * day)}, []recordings.Time{in1970.Start, in2040.Start}},
		{"something later is too old", day, []Segment{in1970, in2040, later(9 * day), later(3 * day)}, []recordings.Time{later(9 * day).Start, in1970.Start, in2040.Start}},
	} {
		p := Make(State{Now: now(), Started: now().Add(-c.started), Cameras: cameras, Segments: c.segs, Limit: 10})
		var got []recordings.Time
		for _, d := range p.Delete {
			got = append(got, d.Start)
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: deleted %v, want %v", c.name, got, c.want)
		}
	}
	cameras["a"] = Camera{}
	p := Make(State{
		Now: now(), Started: now().Add(-day), Cameras: cameras, Limit: 10, Segments: []Segment{later(3 * day), in2040, in1970, later(time.Hour)},
		Disks: []Disk{{ID: "d", Low: 1, High: 300}},
	})
	if len(p.Delete) != 3 || p.Delete[0].Start != in1970.Start || p.Delete[1].Generation != 2 || p.Delete[2].Start != in2040.Start {
		t.Errorf("room is made by %s", say(p))
	}
}

// Whatever the tables say: nothing locked goes, nothing goes twice or for nothing, and
// no older segment is left where a younger one had to make room.
func TestMake_RandomTables(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 2))
		s := State{Now: now(), Started: now().Add(-day), Cameras: map[string]Camera{}, Limit: 1 + random.IntN(50)}
		for _, id := range []string{"a", "b"} {
			c := Camera{Rules: Rules{Keep: time.Duration(random.IntN(3)*5) * day, MaxBytes: random.Int64N(3) * 500, Agent: []string{"", "x"}[random.IntN(2)]}}
			c.KeepEvents = time.Duration(random.IntN(30)) * day
			for range random.IntN(4) {
				c.Events = append(c.Events, around(time.Duration(random.Int64N(int64(20*day))), time.Minute))
				c.Locks = append(c.Locks, around(time.Duration(random.Int64N(int64(20*day))), time.Hour))
			}
			for i := range random.IntN(20) {
				s.Segments = append(s.Segments, seg(id, time.Duration(i)*day+time.Duration(random.Int64N(int64(day)))).on([]string{"d", "e"}[random.IntN(2)]))
				c.Bytes += size
			}
			s.Cameras[id] = c
		}
		s.Disks = []Disk{{ID: "d", Free: random.Int64N(500), Low: 200, High: 400}, {ID: "e", Free: random.Int64N(500), Low: 200, High: 400}}
		p := Make(s)
		if len(p.Delete) > s.Limit {
			t.Fatalf("seed %d: %d deletions", seed, len(p.Delete))
		}
		seen := map[recordings.Ref]bool{}
		for _, d := range p.Delete {
			c := s.Cameras[d.Camera]
			if seen[d.Ref] || touches(c.Locks, recordings.Range{From: d.Start, To: d.End}, 0, 0) {
				t.Fatalf("seed %d: %+v is locked, or was deleted", seed, d)
			}
			seen[d.Ref] = true
			for _, o := range s.Segments {
				older := o.Dir == d.Dir && o.End < d.End && !touches(c.Events, recordings.Range{From: o.Start, To: o.End}, 5*time.Second, 30*time.Second)
				if o.Camera == d.Camera && older && !seen[o.Ref] && !touches(c.Locks, recordings.Range{From: o.Start, To: o.End}, 0, 0) {
					t.Fatalf("seed %d: %s before %v", seed, say(Plan{Delete: []Deletion{d}}), o.Ref)
				}
			}
		}
	}
}
