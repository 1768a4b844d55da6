package retention

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// attic is a store in memory with one disk or two.
type attic struct {
	mu       sync.Mutex
	segments []recordings.Segment
	events   []recordings.Event
	locks    []recordings.Lock
	disks    map[string]int64 // size
	others   int64            // bytes of other files on each disk
	lazy     bool             // deleted files take their room for some seconds
	owed     int64
	fails    error
	pages    int // calls of Oldest
	batches  []int
	forgot   []recordings.Time
	deleted  []recordings.Ref
}

func (a *attic) add(camera string, ends time.Time, n int, change func(*recordings.Segment)) {
	for i := range n {
		end := recordings.TimeOf(ends).Add(-time.Duration(n-1-i) * 5 * time.Minute)
		seg := recordings.Segment{
			Ref: recordings.Ref{Stream: recordings.Stream{Camera: camera, Rendition: recordings.Main}, Start: end.Add(-5 * time.Minute)},
			End: end, Dir: "d", Bytes: 75_000_000,
		}
		if change != nil {
			change(&seg)
		}
		a.segments = append(a.segments, seg)
	}
	slices.SortFunc(a.segments, func(x, y recordings.Segment) int { return cmp.Compare(x.Start, y.Start) })
}

func (a *attic) Streams(context.Context) ([]recordings.StreamInfo, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	byStream := map[recordings.Stream]*recordings.StreamInfo{}
	for _, s := range a.segments {
		info := byStream[s.Stream]
		if info == nil {
			info = &recordings.StreamInfo{Stream: s.Stream, Range: s.Range()}
			byStream[s.Stream] = info
		}
		info.From, info.To = min(info.From, s.Start), max(info.To, s.End)
		info.Bytes += s.Bytes
		info.Segments++
	}
	var all []recordings.StreamInfo
	for _, info := range byStream {
		all = append(all, *info)
	}
	return all, a.fails
}

func (a *attic) Oldest(_ context.Context, s recordings.Stream, after recordings.Time, limit int) ([]recordings.Segment, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pages++
	var found []recordings.Segment
	for _, seg := range a.segments {
		if seg.Stream == s && seg.Start > after && len(found) < limit {
			found = append(found, seg)
		}
	}
	return found, nil
}

func (a *attic) Disks(context.Context) ([]recordings.Disk, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []recordings.Disk
	for id, total := range a.disks {
		free := total - a.others - a.owed
		for _, s := range a.segments {
			if s.Dir == id {
				free -= s.Bytes
			}
		}
		all = append(all, recordings.Disk{ID: id, Path: "/srv/" + id, Usable: true, Total: total, Free: max(free, 0)})
	}
	return append(all, recordings.Disk{ID: "broken"}), nil
}

func (a *attic) Events(_ context.Context, camera string, r recordings.Range, _ int) (found []recordings.Event, _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.events {
		if e.Camera == camera && (e.Overlaps(r) || e.From >= r.From && e.From < r.To) {
			found = append(found, e)
		}
	}
	return found, nil
}

func (a *attic) Locks(_ context.Context, camera string, r recordings.Range) (found []recordings.Lock, _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.locks {
		if l.Camera == camera && l.Overlaps(r) {
			found = append(found, l)
		}
	}
	return found, nil
}

func (a *attic) Delete(_ context.Context, refs ...recordings.Ref) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fails != nil {
		return a.fails
	}
	a.batches = append(a.batches, len(refs))
	a.deleted = append(a.deleted, refs...)
	a.segments = slices.DeleteFunc(a.segments, func(s recordings.Segment) bool {
		gone := slices.Contains(refs, s.Ref)
		if gone && a.lazy {
			a.owed += s.Bytes
			time.AfterFunc(3*time.Second, func() { a.set(func() { a.owed -= s.Bytes }) })
		}
		return gone
	})
	return nil
}

func (a *attic) DeleteEventsBefore(_ context.Context, _ string, before recordings.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forgot = append(a.forgot, before)
	return nil
}

func (a *attic) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

func (a *attic) left() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.segments)
}

// keep runs a keeper in virtual time until the test ends.
func keep(t *testing.T, a *attic, rules Rules, log *bytes.Buffer) *Keeper {
	t.Helper()
	o := Options{Store: a, Rules: func(string) Rules { return rules }}
	if log == nil {
		return run(t, o, nil)
	}
	return run(t, o, log)
}

// run runs a keeper in virtual time until the test ends. log may be nil.
func run(t *testing.T, o Options, log io.Writer) *Keeper {
	t.Helper()
	if log != nil {
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
	}
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return k
}

// virtual runs a test in virtual time, beginning at a time that a clock may show.
func virtual(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(now().Std()))
		test(t)
	})
}

const gigabyte = int64(1_000_000_000)

func TestKeeper_DeletesWhatIsTooOldALittleAtATime(t *testing.T) {
	virtual(t, func(t *testing.T) {
		a := &attic{disks: map[string]int64{"d": 1000 * gigabyte}}
		a.add("front", time.Now(), 1000, nil) // 83 hours
		k := keep(t, a, Rules{Keep: 24 * time.Hour}, nil)
		<-time.After(500 * time.Millisecond)
		if n := a.left(); n != 1000-batch {
			t.Errorf("%d are left after one batch", n)
		}
		<-time.After(2 * time.Minute)
		if n := a.left(); n != 288 {
			t.Errorf("%d are left, want those of a day", n)
		}
		if slices.Max(a.batches) > batch {
			t.Errorf("batches of %d", slices.Max(a.batches))
		}
		if st := k.Status(); st.Segments[TooOld] != 712 || st.Bytes[TooOld] != 712*75_000_000 || st.Reason != "" || st.Emergency {
			t.Errorf("status %+v", st)
		}
	})
}

func TestKeeper_MakesRoomOnTheDiskThatNeedsIt(t *testing.T) {
	virtual(t, func(t *testing.T) {
		a := &attic{disks: map[string]int64{"d": 100 * gigabyte, "e": 100 * gigabyte}}
		a.add("front", time.Now(), 1300, func(s *recordings.Segment) { s.Dir = "d" }) // 97.5 GB
		a.add("front", time.Now().Add(-200*time.Hour), 200, func(s *recordings.Segment) { s.Dir = "e" })
		k := keep(t, a, Rules{}, nil)
		<-time.After(time.Minute)
		disks, _ := a.Disks(t.Context())
		for _, d := range disks {
			if d.Usable && d.Free < 5*gigabyte {
				t.Errorf("%s has %d MB free", d.ID, d.Free/1_000_000)
			}
			if d.ID == "d" && d.Free > 6*gigabyte {
				t.Errorf("%s has %d MB free: too much was deleted", d.ID, d.Free/1_000_000)
			}
			if d.ID == "e" && d.Free != 85*gigabyte {
				t.Errorf("%s has %d MB free: something was deleted", d.ID, d.Free/1_000_000)
			}
		}
		if st := k.Status(); st.Segments[NoRoom] == 0 || st.Emergency || st.Reason != "" {
			t.Errorf("status %+v", st)
		}
	})
}

// Some file systems give the room back a while later: nothing more is deleted then.
func TestKeeper_WaitsForTheRoomOfWhatItDeleted(t *testing.T) {
	for _, lazy := range []bool{false, true} {
		virtual(t, func(t *testing.T) {
			a := &attic{disks: map[string]int64{"d": 100 * gigabyte}, lazy: lazy}
			a.add("front", time.Now(), 1280, nil) // 96 GB
			keep(t, a, Rules{}, nil)
			<-time.After(time.Minute)
			if n := a.left(); n != 1280-batch { // which is enough for now
				t.Errorf("lazy %t: %d are left", lazy, n)
			}
		})
	}
}

func TestKeeper_EmergencyWhenSomethingElseFillsTheDisk(t *testing.T) {
	virtual(t, func(t *testing.T) {
		var log bytes.Buffer
		a := &attic{disks: map[string]int64{"d": 100 * gigabyte}}
		a.add("front", time.Now(), 1200, nil) // 90 GB
		a.locks = []recordings.Lock{{Camera: "front", Range: recordings.Range{To: recordings.TimeOf(time.Now().Add(-98 * time.Hour))}}}
		k := keep(t, a, Rules{}, &log)
		<-time.After(15 * time.Second)
		if len(a.batches) != 0 {
			t.Fatal("something was deleted for nothing")
		}
		for range 40 { // 2 GB a second
			a.set(func() { a.others += 2 * gigabyte })
			<-time.After(time.Second)
		}
		st := k.Status()
		if !strings.Contains(log.String(), "as fast as possible") || slices.Max(a.batches) <= batch {
			t.Errorf("no emergency: batches of %d, log %s", slices.Max(a.batches), log.String())
		}
		oldest := slices.MinFunc(a.segments, func(x, y recordings.Segment) int { return cmp.Compare(x.Start, y.Start) })
		if oldest.End > recordings.TimeOf(time.Now().Add(-99*time.Hour)) {
			t.Error("a locked clip was deleted")
		}
		a.set(func() { a.others += 17 * gigabyte })
		<-time.After(20 * time.Second)
		if st = k.Status(); !st.Emergency || !strings.Contains(st.Reason, "/srv/d has only ") || !strings.Contains(st.Reason, "locked") {
			t.Errorf("status %+v", st)
		}
		a.set(func() { a.others = 0 })
		<-time.After(70 * time.Second)
		if st = k.Status(); st.Emergency || st.Reason != "" || !strings.Contains(log.String(), "there is room for recordings again") {
			t.Errorf("status %+v", st)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n > 2 {
			t.Errorf("%d errors in the log: %s", n, log.String())
		}
	})
}

// A month of events before the first segment that may go is not read again and again.
func TestKeeper_PassesOverWhatIsKept(t *testing.T) {
	virtual(t, func(t *testing.T) {
		a := &attic{disks: map[string]int64{"d": 1000 * gigabyte}}
		a.add("front", time.Now(), 2000, nil) // 167 hours
		event := recordings.Range{From: 0, To: recordings.TimeOf(time.Now().Add(-50 * time.Hour))}
		a.events = []recordings.Event{{Camera: "front", Range: event}}
		k := keep(t, a, Rules{Keep: 24 * time.Hour, KeepEvents: 60 * 24 * time.Hour}, nil)
		<-time.After(2 * time.Minute)
		if n := a.left(); n < 2000-26*12-3 || n > 2000-26*12+3 {
			t.Errorf("%d are left, want all but 26 hours", n)
		}
		a.set(func() { a.pages = 0 })
		<-time.After(4 * time.Minute)
		a.set(func() {
			if a.pages > 48*4 {
				t.Errorf("%d pages were read in 48 passes", a.pages)
			}
		})
		if st := k.Status(); st.Segments[TooOld] < 308 {
			t.Errorf("status %+v", st)
		}
		// Somebody takes the events away.
		a.set(func() { a.events = nil })
		<-time.After(15 * time.Minute)
		if n := a.left(); n > 289 {
			t.Errorf("%d are left, want those of a day", n)
		}
	})
}

func TestKeeper_UnlockedClipsGoInTheEnd(t *testing.T) {
	virtual(t, func(t *testing.T) {
		a := &attic{disks: map[string]int64{"d": 1000 * gigabyte}}
		a.add("front", time.Now(), 1000, nil)
		a.locks = []recordings.Lock{{Camera: "front", Range: recordings.Range{To: recordings.TimeOf(time.Now().Add(-48 * time.Hour))}}}
		keep(t, a, Rules{Keep: 24 * time.Hour}, nil)
		<-time.After(5 * time.Minute)
		if n := a.left(); n < 1000-291 || n > 1000-285 {
			t.Errorf("%d are left, want all but a day", n)
		}
		a.set(func() { a.locks = nil })
		<-time.After(20 * time.Minute)
		if n := a.left(); n > 288 {
			t.Errorf("%d are left, want those of a day", n)
		}
	})
}

// What is locked comes on top of what a camera may have, and it is said when that is
// more than all it may have.
func TestKeeper_LockedClipsLeaveTheRestAlone(t *testing.T) {
	virtual(t, func(t *testing.T) {
		a := &attic{disks: map[string]int64{"d": 1000 * gigabyte}}
		a.add("front", time.Now(), 1000, nil) // 75 GB
		locked := recordings.Range{To: recordings.TimeOf(time.Now().Add(-50 * time.Hour))}
		a.locks = []recordings.Lock{{Camera: "front", Range: locked}} // 400 of them, 30 GB
		k := keep(t, a, Rules{MaxBytes: 20 * gigabyte}, nil)
		<-time.After(5 * time.Minute)
		if n := a.left(); n != 400+266 {
			t.Errorf("%d are left, want 400 locked and 20 GB of others", n)
		}
		if st := k.Status(); !strings.Contains(st.Reason, "camera front take 30 GB") || st.Emergency {
			t.Errorf("status %+v", st)
		}
		a.set(func() {
			a.locks = append(a.locks, recordings.Lock{Camera: "front", Range: recordings.Range{To: recordings.TimeOf(time.Now())}})
		})
		<-time.After(time.Minute)
		a.set(func() { a.locks = nil })
		<-time.After(20 * time.Minute)
		if st := k.Status(); a.left() != 266 || st.Reason != "" {
			t.Errorf("%d are left without locks, status %+v", a.left(), st)
		}
	})
}

func TestKeeper_ForgetsEventsWithTheirRecordings(t *testing.T) {
	virtual(t, func(t *testing.T) {
		a := &attic{disks: map[string]int64{"d": 1000 * gigabyte}}
		a.add("front", time.Now(), 100, nil)
		keep(t, a, Rules{Keep: 100 * 24 * time.Hour}, nil)
		<-time.After(90 * time.Minute)
		if len(a.forgot) != 2 || recordings.TimeOf(time.Now()).Sub(a.forgot[1]) < 100*24*time.Hour {
			t.Errorf("events were forgotten before %v", a.forgot)
		}
	})
}

func TestKeeper_GoesOnAfterAnError(t *testing.T) {
	virtual(t, func(t *testing.T) {
		var log bytes.Buffer
		a := &attic{disks: map[string]int64{"d": 1000 * gigabyte}, fails: errors.New("the disk is gone")}
		a.add("front", time.Now(), 300, nil)
		keep(t, a, Rules{Keep: 24 * time.Hour}, &log)
		<-time.After(5 * time.Minute)
		if n := strings.Count(log.String(), "the disk is gone"); n != 1 {
			t.Errorf("said %d times", n)
		}
		a.set(func() { a.fails = nil })
		<-time.After(time.Minute)
		if n := a.left(); n > 289 {
			t.Errorf("%d are left", n)
		}
	})
}

func TestMinFree(t *testing.T) {
	for total, want := range map[int64]int64{
		8000 * gigabyte: 20 * gigabyte, 100 * gigabyte: 5 * gigabyte, 2 * gigabyte: 256 << 20, 400_000_000: 100_000_000,
	} {
		if got := minFree(total); got != want {
			t.Errorf("minFree(%d) = %d, want %d", total, got, want)
		}
	}
}
