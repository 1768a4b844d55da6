package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sightline-cam/sightline/recordings"
)

func TestPut_EveryFieldComesBack(t *testing.T) {
	x := open(t)
	plain := segment(front(), 0, 0, 10)
	rich := segment(recordings.Stream{Camera: "back", Rendition: recordings.Sub}, 3, 20.000001, 30)
	rich.Dir, rich.Path, rich.Open = "disk-2", "elsewhere/a.mp4", true
	rich.Origin, rich.Before, rich.ClockOffset = recordings.Backfill, recordings.DiskFull, -1234567
	rich.Format = recordings.Format{Video: "hvc1.1.6.L93.B0", Width: 3840, Height: 2160, Signed: true}
	for i := range maxGaps {
		r := recordings.Range{From: at(float64(i)), To: at(float64(i) + 0.5)}
		rich.Gaps = append(rich.Gaps, recordings.Gap{Stream: rich.Stream, Range: r, Cause: recordings.Cause(fmt.Sprint("cause-", i))})
	}
	empty := recordings.Segment{Ref: recordings.Ref{Stream: front(), Start: at(50)}, End: at(50), Dir: "disk-1", Path: "p", Origin: recordings.Live, Open: true}
	ok(t, x.Put(t.Context(), plain, rich, empty))
	for _, want := range []recordings.Segment{plain, rich, empty} {
		got := must(x.Segment(t.Context(), want.Ref, true))(t)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", describe(want.Ref), diff)
		}
		want.Fragments = nil
		if diff := cmp.Diff(want, must(x.Segment(t.Context(), want.Ref, false))(t)); diff != "" {
			t.Errorf("%s without fragments:\n%s", describe(want.Ref), diff)
		}
	}
	if diff := cmp.Diff([]recordings.Segment{rich, empty}, must(x.OpenSegments(t.Context()))(t)); diff != "" {
		t.Error(diff)
	}
}

func TestPut_ReplacesAllOfARow(t *testing.T) {
	x := open(t)
	s := segment(front(), 0, 0, 10)
	s.Open, s.Before = true, recordings.Crash
	s.Gaps = []recordings.Gap{{Stream: front(), Range: recordings.Range{From: at(-5), To: at(0)}, Cause: recordings.Crash}}
	ok(t, x.Put(t.Context(), s))
	ok(t, x.Tombstone(t.Context(), s.Ref))
	bare := segment(front(), 0, 0, 7)
	bare.Fragments = nil
	bare.Dir = "disk-2"
	for _, next := range []recordings.Segment{bare, s, segment(front(), 0, 0, 20), bare} {
		ok(t, x.Put(t.Context(), next))
		if diff := cmp.Diff(next, must(x.Segment(t.Context(), next.Ref, true))(t)); diff != "" {
			t.Error(diff)
		}
		if used := must(x.Used(t.Context(), next.Dir))(t); used != next.Bytes {
			t.Errorf("%d bytes used, want %d", used, next.Bytes)
		}
		clean(t, x)
	}
}

func TestPut_AllOrNone(t *testing.T) {
	x := open(t)
	ok(t, x.Put(t.Context(), segment(front(), 0, 0, 10)))
	before := dump(t, x)
	other := recordings.Stream{Camera: "new", Rendition: recordings.Main}
	good := segment(other, 0, 0, 10)
	good.Dir, good.Format.Video = "new", "new"
	for name, change := range map[string]func(s *recordings.Segment){
		"no camera":        func(s *recordings.Segment) { s.Camera = "" },
		"no directory":     func(s *recordings.Segment) { s.Dir = "" },
		"ends too early":   func(s *recordings.Segment) { s.End = s.Start - 1 },
		"too many gaps":    func(s *recordings.Segment) { s.Gaps = make([]recordings.Gap, maxGaps+1) },
		"a bad fragment":   func(s *recordings.Segment) { s.Fragments[3].Bytes = -1 },
		"negative bytes":   func(s *recordings.Segment) { s.Bytes = -1 },
		"the wrong number": func(s *recordings.Segment) { s.Generation = -1 },
	} {
		bad := segment(front(), 0, 10, 20)
		change(&bad)
		if err := x.Put(t.Context(), good, bad); err == nil || !strings.Contains(err.Error(), "segment ") {
			t.Errorf("%s: %v", name, err)
		}
		if dump(t, x) != before {
			t.Errorf("%s: it left something", name)
		}
	}
	ok(t, x.Put(t.Context(), good)) // no name is remembered that was not kept
	if diff := cmp.Diff(good, must(x.Segment(t.Context(), good.Ref, true))(t)); diff != "" {
		t.Error(diff)
	}
	clean(t, x)
}

func TestTombstone_HidesUntilPurged(t *testing.T) {
	x := open(t)
	gone, stays := segment(front(), 0, 0, 10), segment(front(), 0, 10, 20)
	unknown := recordings.Ref{Stream: recordings.Stream{Camera: "nobody", Rendition: recordings.Main}, Start: 5}
	ok(t, x.Put(t.Context(), gone, stays))
	ok(t, x.Tombstone(t.Context(), gone.Ref, unknown, gone.Ref))
	if _, err := x.Segment(t.Context(), gone.Ref, false); err == nil {
		t.Error("it is still found")
	}
	want := gone
	want.Fragments = nil
	if diff := cmp.Diff([]recordings.Segment{want}, must(x.Tombstoned(t.Context()))(t)); diff != "" {
		t.Error(diff)
	}
	ok(t, x.Purge(t.Context(), gone.Ref, unknown, gone.Ref))
	if rest := must(x.Tombstoned(t.Context()))(t); len(rest) > 0 {
		t.Errorf("purged, and still there: %v", rest)
	}
	if used := must(x.Used(t.Context(), "disk-1"))(t); used != stays.Bytes {
		t.Errorf("%d bytes used, want %d", used, stays.Bytes)
	}
	clean(t, x)
	ok(t, x.Purge(t.Context(), stays.Ref))
	if streams := must(x.Streams(t.Context()))(t); len(streams) > 0 {
		t.Errorf("a stream without segments: %v", streams)
	}
	clean(t, x)
}

// model is what the index should hold: every row, and whether it is tombstoned.
type model map[recordings.Ref]modelRow

type modelRow struct {
	recordings.Segment
	tombstone bool
}

func (m model) streams() (streams []recordings.StreamInfo) {
	byStream := map[recordings.Stream]*recordings.StreamInfo{}
	newest := map[recordings.Stream]recordings.Segment{}
	for _, s := range m {
		if s.tombstone {
			continue
		}
		i := byStream[s.Stream]
		if i == nil {
			i = &recordings.StreamInfo{Stream: s.Stream, Range: s.Range()}
			byStream[s.Stream] = i
		}
		i.From, i.To = min(i.From, s.Start), max(i.To, s.End)
		i.Segments, i.Bytes, i.Recording = i.Segments+1, i.Bytes+s.Bytes, i.Recording || s.Open
		if n := newest[s.Stream]; s.Generation > n.Generation || s.Generation == n.Generation && s.Start >= n.Start {
			newest[s.Stream] = s.Segment
		}
	}
	for stream, i := range byStream {
		i.Durable, i.Format = i.To, newest[stream].Format
		streams = append(streams, *i)
	}
	slices.SortFunc(streams, func(a, b recordings.StreamInfo) int { return strings.Compare(a.String(), b.String()) })
	return streams
}

func (m model) choose(keep func(s modelRow) bool) (segs []recordings.Segment) {
	for _, s := range m {
		if keep(s) {
			s.Fragments = nil
			segs = append(segs, s.Segment)
		}
	}
	return segs
}

// TestTotals_AreRightWhateverHappens compares with a recount after every few of
// many random changes.
func TestTotals_AreRightWhateverHappens(t *testing.T) {
	x, m := open(t), model{}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	random := func() recordings.Segment {
		stream := recordings.Stream{Camera: []string{"a", "b"}[r.IntN(2)], Rendition: []string{"main", "sub"}[r.IntN(2)]}
		start := float64(r.IntN(6) * 10)
		s := segment(stream, r.IntN(2), start, start+float64(r.IntN(3)*5))
		s.Dir, s.Open, s.Format.Width = []string{"x", "y", "z"}[r.IntN(3)], r.IntN(5) == 0, 640*(1+r.IntN(3))
		for i := range r.IntN(3) {
			gap := recordings.Range{From: s.Start - second(float64(3-i)), To: s.Start - second(float64(2-i))}
			s.Gaps = append(s.Gaps, recordings.Gap{Stream: stream, Range: gap, Cause: recordings.Unknown})
		}
		return s
	}
	for step := range 100 {
		switch s := random(); r.IntN(4) {
		case 0, 1:
			other := random()
			ok(t, x.Put(t.Context(), s, other))
			m[s.Ref], m[other.Ref] = modelRow{Segment: s}, modelRow{Segment: other}
		case 2:
			ok(t, x.Tombstone(t.Context(), s.Ref))
			if row, ok := m[s.Ref]; ok {
				row.tombstone, row.Gaps = true, nil
				m[s.Ref] = row
			}
		case 3:
			ok(t, x.Purge(t.Context(), s.Ref))
			delete(m, s.Ref)
		}
		if step%10 == 9 {
			compareModel(t, x, m)
		}
		if t.Failed() {
			t.Fatalf("after step %d with seed %d", step, seed)
		}
	}
	clean(t, x)
}

func compareModel(t *testing.T, x *Index, m model) {
	t.Helper()
	same := func(what string, want, got any) {
		t.Helper()
		unordered := cmpopts.SortSlices(func(a, b recordings.Segment) bool { return describe(a.Ref) < describe(b.Ref) })
		if diff := cmp.Diff(want, got, unordered, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s:\n%s", what, diff)
		}
	}
	same("Streams", m.streams(), must(x.Streams(t.Context()))(t))
	used := map[string]int64{}
	for _, s := range m {
		if !s.tombstone {
			used[s.Dir] += s.Bytes
		}
	}
	for _, dir := range []string{"x", "y", "z"} {
		same("Used "+dir, used[dir], must(x.Used(t.Context(), dir))(t))
	}
	same("Tombstoned", m.choose(func(s modelRow) bool { return s.tombstone }), must(x.Tombstoned(t.Context()))(t))
	open := must(x.OpenSegments(t.Context()))(t)
	for i := range open {
		open[i].Fragments = nil
	}
	same("OpenSegments", m.choose(func(s modelRow) bool { return s.Open && !s.tombstone }), open)
	stream := recordings.Stream{Camera: "a", Rendition: "main"}
	same("Oldest", m.choose(func(s modelRow) bool { return s.Stream == stream && !s.Open && !s.tombstone && s.Start > at(5) }),
		must(x.Oldest(t.Context(), stream, at(5), 1000))(t))
}
