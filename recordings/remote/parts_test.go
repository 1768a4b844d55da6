package remote

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/fragment"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

// entries are seconds that follow each other.
func entries(seconds ...int64) (out []fragment.Entry) {
	for i, s := range seconds {
		out = append(out, fragment.Entry{Seq: uint64(i + 1), StartUs: s * 1e6, DurationUs: 1e6, Frames: 25, Bytes: 100})
	}
	return out
}

func starts(es []fragment.Entry) (out []int64) {
	for _, e := range es {
		out = append(out, e.StartUs/1e6)
	}
	return out
}

func TestHoles_NewestComesFirstInPiecesThatFollow(t *testing.T) {
	var h holes
	h.add(entries(10, 11, 12, 20, 21, 22, 23)...)
	h.add(entries(11, 23, 9)...) // some of them again
	now := time.Now()
	var got [][]int64
	for {
		chunk := h.newest(now, 3*time.Second)
		if len(chunk) == 0 {
			break
		}
		got = append(got, starts(chunk))
		for _, e := range chunk {
			h.remove(e)
		}
	}
	if diff := cmp.Diff([][]int64{{21, 22, 23}, {20}, {10, 11, 12}, {9}}, got); diff != "" {
		t.Error(diff)
	}
	if n, bytes := h.left(); n != 0 || bytes != 0 {
		t.Errorf("%d with %d bytes are left of nothing", n, bytes)
	}
	h.add(entries(5)...)
	h.wait(now.Add(time.Minute))
	if chunk := h.newest(now, time.Minute); len(chunk) != 0 {
		t.Error("it does not wait")
	}
	es := entries(5, 6, 7)
	es[1].After = fragment.Restart.String()
	h.set(es)
	if got := starts(h.newest(now.Add(time.Hour), time.Minute)); !cmp.Equal(got, []int64{6, 7}) {
		t.Errorf("a piece across a restart: %v", got)
	}
	for i := range int64(maxHoles + 10) {
		h.add(fragment.Entry{StartUs: i + 1})
	}
	if n, _ := h.left(); n != maxHoles {
		t.Errorf("%d holes are remembered", n)
	}
}

func TestRecordedIn_FindsEveryKeyFrameOfMany(t *testing.T) {
	s := &shelf{}
	seg := &shelved{ref: recordings.Ref{Stream: mainOf("front")}}
	for i := range recordings.Time(25_000) {
		seg.pieces = append(seg.pieces, piece{start: i * 3})
	}
	s.segments = []*shelved{seg}
	got, err := recordedIn(context.Background(), s, mainOf("front"), recordings.Range{To: 90_000})
	if err != nil || len(got) != 25_000 {
		t.Errorf("%d found: %v", len(got), err)
	}
}

func TestGate_SaysWhyNot(t *testing.T) {
	s := &shelf{
		pauses: []recordings.Pause{{Camera: "front", Range: recordings.Range{From: 100e6, To: 110e6}}},
		events: []recordings.Event{{Camera: "front", Range: recordings.Range{From: 200e6, To: 210e6}}},
	}
	always := gate{store: s, camera: "front"}
	onEvent := gate{store: s, camera: "front", policy: recorder.Policy{OnEvent: true}}
	for _, tt := range []struct {
		gate *gate
		at   int64 // seconds
		want recordings.Cause
	}{
		{&always, 98, ""}, {&always, 105, recordings.Paused}, {&always, 110, ""},
		{&onEvent, 105, recordings.Paused}, {&onEvent, 150, recordings.NoEvent},
		{&onEvent, 194, ""}, {&onEvent, 193, recordings.NoEvent}, {&onEvent, 239, ""}, {&onEvent, 241, recordings.NoEvent},
	} {
		at := recordings.Time(tt.at * 1e6)
		if got := tt.gate.cause(context.Background(), recordings.Range{From: at, To: at + 1_500_000}); got != tt.want {
			t.Errorf("at %d s: %q, want %q", tt.at, got, tt.want)
		}
	}
}

func TestGroup_UnbrokenEndsAtTheFirstHole(t *testing.T) {
	g := group{}
	for _, pts := range []int64{0, 7200, 3600, 10800, 18000, 14400, 28800, 32400} { // with B-frames; 21600 is missing
		g.units = append(g.units, &codecs.Unit{PTS: pts})
	}
	if n := len(g.unbroken()); n != 6 {
		t.Errorf("%d pictures", n)
	}
}

// FuzzList lets a follower go by whatever an agent says.
func FuzzList(f *testing.F) {
	a := &codecs.Unit{PTS: 9, At: 1e15, Key: true, Payload: [][]byte{{1, 2}, {3}}}
	fr := &fragment.Fragment{VideoTrack: codecs.Track{Codec: codecs.H264, ClockRate: 90_000}, Video: []*codecs.Unit{a}, Duration: time.Second}
	encoded, err := fragment.Encode(fr)
	if err != nil {
		f.Fatal(err)
	}
	h, err := fragment.DecodeHead(encoded)
	if err != nil {
		f.Fatal(err)
	}
	e := fragment.EntryOf(3, fr, encoded)
	e.Head = encoded[:h.Bytes]
	list := fragment.List{Epoch: "e", Next: 9, Fragments: []fragment.Entry{e, e}}
	list.Fragments[1].Seq, list.Fragments[1].StartUs = 4, 2e15
	text, err := json.Marshal(list)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, encoded)
	f.Fuzz(func(t *testing.T, text, data []byte) {
		l, err := parseList(text, 0, true)
		if err != nil {
			return
		}
		c := &collector{limit: 1 << 20}
		fo := &follower{liveWait: time.Second, inlineWait: time.Second, memory: 1 << 20, sound: true, live: c}
		now := time.Unix(1e9, 0) // before a clock is set: nothing is too late
		c.begin()
		for i := range int64(3) {
			c.picture(codecs.H264, &codecs.Unit{PTS: i * 90_000, Key: true, Payload: a.Payload})
			c.sound(codecs.PCMU, &codecs.Unit{PTS: i, Payload: [][]byte{{1}}})
		}
		entries, _ := believable(now, l.Fragments)
		fo.listed(now, entries)
		for range 5 {
			now = now.Add(700 * time.Millisecond)
			for _, o := range fo.step(now, true) {
				if !o.skip {
					_, _ = o.make()
				}
			}
			if i, p := fo.fetch(now); i != nil {
				i.fetching = true
				var whole *fragment.Fragment
				var sound []*codecs.Unit
				if p == onlySound {
					sound, _ = soundIn(i, data)
				} else {
					whole, _ = wholeIn(i.entry, data, true)
				}
				fo.fetched(i, whole, sound, now)
			}
		}
		fo.flush(now)
		fo.salvage()
	})
}
