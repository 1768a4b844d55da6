package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/fragment"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
	"github.com/sightline-cam/sightline/viewer"
)

// trip is an http.RoundTripper.
type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// saying is a client of an agent that answers so.
func saying(h http.HandlerFunc) *api {
	return &api{camera: "front", rendition: recordings.Main, http: &http.Client{Transport: trip(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		h(w, r)
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return w.Result(), nil
	})}}
}

// crowded encodes a fragment with as many pictures as there can be, of a byte each.
func crowded(t *testing.T) (encoded []byte, h *fragment.Head) {
	t.Helper()
	f := &fragment.Fragment{VideoTrack: codecs.Track{Codec: codecs.H264, ClockRate: 90_000}, Duration: 300 * time.Second}
	for i := range fragment.MaxPictures {
		f.Video = append(f.Video, &codecs.Unit{Key: i == 0, PTS: int64(i) * 3600, At: began + int64(i)*40_000, Payload: [][]byte{{1}}})
	}
	encoded, err := fragment.Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	if h, err = fragment.DecodeHead(encoded); err != nil {
		t.Fatal(err)
	}
	return encoded, h
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestFollower_HeadsStayWithinTheMemory(t *testing.T) {
	encoded, h := crowded(t)
	const bound = 8 << 20
	fo := &follower{liveWait: time.Hour, inlineWait: time.Hour, memory: bound, live: &collector{limit: bound}}
	now, seq := time.UnixMicro(began), uint64(0)
	fo.listed(now, nil)
	base := heap()
	for range 10 {
		var list []fragment.Entry
		for range fragment.MaxHeads {
			seq++
			list = append(list, fragment.Entry{Seq: seq, StartUs: h.Start(), DurationUs: h.Duration.Microseconds(), Frames: h.Pictures(), Bytes: len(encoded), Head: encoded[:h.Bytes]})
		}
		fo.listed(now, list)
		fo.step(now, true)
		if held := fo.held(); held > bound || len(fo.items) > maxItems {
			t.Fatalf("%d items with %d bytes are held", len(fo.items), held)
		}
	}
	if used := heap() - base; used > 2*bound {
		t.Errorf("%d MiB of memory are used", used>>20)
	}
	if out := fo.flush(now); len(out) == 0 || heap()-base > 2*bound {
		t.Errorf("flushed %d items, %d MiB are used", len(out), (heap()-base)>>20)
	}
	runtime.KeepAlive(fo)
}

func TestFollower_TakesNoMoreThanItCanHold(t *testing.T) {
	fo := &follower{liveWait: time.Hour, inlineWait: time.Hour, memory: 1 << 30, live: &collector{limit: 1 << 30}}
	var list []fragment.Entry
	for seq := range uint64(2 * maxItems) {
		list = append(list, fragment.Entry{Seq: seq + 1, StartUs: began + int64(seq)*1e6, DurationUs: 1e6, Frames: 1, Bytes: 100})
	}
	fo.listed(time.UnixMicro(began), list)
	if len(fo.items) != maxItems || fo.cursor != maxItems || !fo.full() {
		t.Errorf("%d items up to number %d", len(fo.items), fo.cursor)
	}
}

func TestJoin_AListThatDoesNotEndIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rounds := 0
		client := saying(func(w http.ResponseWriter, r *http.Request) {
			rounds++
			after, _ := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
			_ = json.NewEncoder(w).Encode(fragment.List{Epoch: "x", More: true, Fragments: []fragment.Entry{
				{Seq: after + 1, StartUs: began + int64(after), DurationUs: 1, Frames: 1, Bytes: 100},
			}})
		})
		if _, err := join(t.Context(), client, &shelf{}, mainOf("front"), 0); !errors.Is(err, errAnswer) || rounds != maxRounds {
			t.Errorf("%v after %d answers", err, rounds)
		}
		slow := saying(func(w http.ResponseWriter, r *http.Request) {
			<-time.After(20 * time.Second)
			_, _ = fmt.Fprint(w, `{"epoch":"x","more":true,"fragments":[{"seq":`+strconv.Itoa(int(time.Now().Unix()))+`,"frames":1,"bytes":9}]}`)
		})
		start := time.Now()
		if _, err := join(t.Context(), slow, &shelf{}, mainOf("front"), 0); err == nil || time.Since(start) > joinTime+time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestList_RefusesWhatNoSpoolSays(t *testing.T) {
	head := make([]byte, 10)
	entry := func(change func(*fragment.Entry)) *fragment.List {
		e := fragment.Entry{Seq: 1, StartUs: began, DurationUs: 1, Frames: 1, Bytes: 100}
		change(&e)
		return &fragment.List{Epoch: "x", Fragments: []fragment.Entry{e}}
	}
	many := &fragment.List{Epoch: "x"}
	for seq := range uint64(fragment.MaxHeads + 1) {
		many.Fragments = append(many.Fragments, fragment.Entry{Seq: seq + 1, Frames: 1, Bytes: 1})
	}
	for name, c := range map[string]struct {
		list  *fragment.List
		heads bool
		good  bool
	}{
		"an entry":                       {entry(func(*fragment.Entry) {}), false, true},
		"a head that was asked for":      {entry(func(e *fragment.Entry) { e.Head = head }), true, true},
		"a head that was not":            {entry(func(e *fragment.Entry) { e.Head = head }), false, false},
		"a head longer than all":         {entry(func(e *fragment.Entry) { e.Head, e.Bytes = head, 9 }), true, false},
		"one word":                       {entry(func(e *fragment.Entry) { e.After = "restart" }), true, true},
		"another word":                   {entry(func(e *fragment.Entry) { e.After = strings.Repeat("a", 1<<20) }), true, false},
		"more than fits without heads":   {many, false, true},
		"more than fits with their head": {many, true, false},
		"a long epoch":                   {&fragment.List{Epoch: strings.Repeat("x", 65)}, true, false},
	} {
		if err := checkList(c.list, 0, c.heads); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parseList(make([]byte, maxList(false)+1), 0, false); !errors.Is(err, errAnswer) {
		t.Error("a list of any length is read")
	}
}

func TestEntries_OfTimesThatCannotBeAreLeftOut(t *testing.T) {
	now := time.UnixMicro(began)
	for name, c := range map[string]struct {
		start, duration int64
		frames          int
		now             time.Time
		good            bool
	}{
		"now":                           {began, 1e6, 25, now, true},
		"an hour ahead":                 {began + 3600e6, 1e6, 25, now, true},
		"two days ahead":                {began + 2*86400e6, 1e6, 25, now, false},
		"far ahead of a clock not set":  {began, 1e6, 25, time.Unix(1e6, 0), true},
		"before there were any":         {1, 1e6, 25, now, false},
		"long, with few pictures":       {began - 1e12, 3600e6, 2, now, false},
		"longer than a day":             {began - 1e12, 90000e6, 7000, now, false},
		"beyond a day ahead in its end": {began + 86399e6, 60e6, 25, now, false},
	} {
		e := fragment.Entry{StartUs: c.start, DurationUs: c.duration, Frames: c.frames}
		if out, odd := believable(c.now, []fragment.Entry{e}); (len(out) == 1) != c.good || (odd == nil) != c.good {
			t.Errorf("%s: %v", name, out)
		}
	}
	// Units of another time than the fragment's.
	for name, change := range map[string]func(f *fragment.Fragment){
		"good":          func(*fragment.Fragment) {},
		"a late unit":   func(f *fragment.Fragment) { f.Video[1].At += 3600e6 },
		"an early one":  func(f *fragment.Fragment) { f.Video[1].At = 5 },
		"PTS that leap": func(f *fragment.Fragment) { f.Video[1].PTS += 1 << 40 },
	} {
		f := &fragment.Fragment{VideoTrack: codecs.Track{Codec: codecs.H264, ClockRate: 90_000}, Duration: 2 * time.Second, Video: []*codecs.Unit{
			{Key: true, PTS: 7, At: began, Payload: [][]byte{{1}}}, {PTS: 90_007, At: began + 1e6, Payload: [][]byte{{2}}},
		}}
		change(f)
		encoded, err := fragment.Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wholeIn(fragment.EntryOf(1, f, encoded), encoded, true); (err == nil) != (name == "good") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRemote_SaysOnceThatAnAgentsTimesCannotBe(t *testing.T) {
	s, log := &stream{}, &journal{}
	s.log = slog.New(slog.NewTextHandler(log, nil)).With("agent", "other", "camera", "front")
	s.follower = &follower{}
	for seq := range uint64(3) {
		s.listed(time.UnixMicro(began), fragment.List{Fragments: []fragment.Entry{{Seq: seq + 1, StartUs: 5, Frames: 1}}})
	}
	if log.count("agent=other camera=front") != 1 || log.count("of a time that cannot be") != 1 || len(s.follower.items) > 0 || s.follower.cursor != 3 {
		t.Errorf("%d items up to %d, log:\n%s", len(s.follower.items), s.follower.cursor, log.b.String())
	}
}

// drip is a body of which a byte comes from time to time.
type drip struct {
	ctx   context.Context
	every time.Duration
	n     int
}

func (d *drip) Read(p []byte) (int, error) {
	if err := sleep(d.ctx, d.every); err != nil {
		return 0, err
	}
	n := min(d.n, len(p))
	clear(p[:n])
	return n, nil
}

func (d *drip) Close() error { return nil }

func TestFetch_EndsWhenNothingMoreComes(t *testing.T) {
	for name, c := range map[string]struct {
		every   time.Duration
		n       int
		stalled bool
	}{
		"nothing":               {time.Hour, 1, true},
		"a byte from time on":   {20 * time.Second, 1, true},
		"slow, but it comes on": {time.Second, 4 << 10, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := &api{camera: "front", rendition: recordings.Main, http: &http.Client{Transport: trip(func(r *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: http.StatusPartialContent, Header: http.Header{"Content-Range": {"bytes 0-99999/100000"}},
					Body: &drip{r.Context(), c.every, c.n},
				}, nil
			})}}
			start := time.Now()
			_, err := client.fetch(t.Context(), request{seq: 1, to: 100_000})
			if errors.Is(err, errStalled) != c.stalled || c.stalled && time.Since(start) > time.Minute {
				t.Errorf("%s: %v after %v", name, err, time.Since(start))
			}
		})
	}
}

func TestFetch_KeepsToTheRecordersRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &api{camera: "front", rendition: recordings.Main, http: &http.Client{Transport: trip(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: http.StatusPartialContent, Header: http.Header{"Content-Range": {"bytes 0-9999999/10000000"}},
				Body: io.NopCloser(strings.NewReader(strings.Repeat("x", 10_000_000))),
			}, nil
		})}}
		b := newBounds(8_000_000)
		start := time.Now()
		data, err := client.fetch(t.Context(), request{seq: 1, to: 10_000_000, background: true, budget: b.bits})
		if took := time.Since(start); err != nil || len(data) != 10_000_000 || took < 8*time.Second || took > 11*time.Second {
			t.Errorf("%d bytes took %v: %v", len(data), took, err)
		}
	})
}

func TestTape_BeginsOnlySoManySegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, opened := &shelf{}, tapeOptionsOf(t)
		for range 10 * begunBurst {
			_, _ = opened(s).Store.Create(t.Context(), recordings.Segment{}, nil)
		}
		if n := len(s.segments); n != begunBurst {
			t.Errorf("%d segments were begun at once", n)
		}
		<-time.After(time.Minute)
		if _, err := opened(s).Store.Create(t.Context(), recordings.Segment{}, nil); err != nil {
			t.Error(err)
		}
	})
}

// tapeOptionsOf returns the options of a stream's tape.
func tapeOptionsOf(t *testing.T) func(s *shelf) recorder.TapeOptions {
	t.Helper()
	var got *recorder.TapeOptions
	return func(s *shelf) recorder.TapeOptions {
		if got == nil {
			o := Options{Store: s, Dial: func(context.Context, Want) (Session, error) { return nil, io.EOF }}
			o.NewTape = func(to recorder.TapeOptions) Tape { got = &to; return s.tape(to) }
			if err := o.setDefaults(); err != nil {
				t.Fatal(err)
			}
			rec := newRecording(&o, newCamera("front", viewer.Camera{ID: "front"}))
			if err := rec.streams[0].open(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return *got
	}
}

// crowd is an agent with many cameras.
type crowd struct {
	Session
	ids []string // constant
}

func (c *crowd) Cameras(context.Context) (out []viewer.Camera, err error) {
	for _, id := range c.ids {
		out = append(out, viewer.Camera{ID: id, Name: strings.Repeat("name", 1000)})
	}
	return out, nil
}

func (c *crowd) ReadFrame(ctx context.Context) (viewer.Frame, error) {
	<-ctx.Done()
	return viewer.Frame{}, ctx.Err()
}

func (c *crowd) HTTP() *http.Client {
	return &http.Client{Transport: trip(func(*http.Request) (*http.Response, error) { return nil, io.EOF })}
}
func (c *crowd) Close() error { return nil }

func TestRemote_AgentHasOnlySoManyCameras(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{}
		for i := range 2000 {
			c.ids = append(c.ids, fmt.Sprintf("c%d", i), "same", strings.Repeat("x", maxID+1))
		}
		log := &journal{}
		o := Options{Store: &shelf{}, Logger: slog.New(slog.NewTextHandler(log, nil)), Dial: func(context.Context, Want) (Session, error) { return c, nil }}
		r, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = r.Run(ctx) })
		<-time.After(2 * time.Second)
		if more := r.within([]viewer.Camera{{ID: "c5"}, {ID: "another"}}); len(more) != 1 {
			t.Errorf("%d cameras the next time", len(more))
		}
		cameras := r.Cameras()
		if len(cameras) == 0 || len(cameras) > maxKnown || len(cameras[0].Name()) > maxName || log.count("more cameras than are recorded") != 1 {
			t.Errorf("%d cameras, log:\n%.2000s", len(cameras), log.b.String())
		}
		if n := runtime.NumGoroutine(); n > 3*maxKnown {
			t.Errorf("%d goroutines", n)
		}
		cancel()
		running.Wait()
	})
}

func TestRemote_CamerasThatAreGoneAreRecordedNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front", "yard"), &shelf{}
		r, stop := record(t, a, s, nil)
		a.film(20 * time.Second)
		a.mu.Lock()
		a.order = []string{"front"}
		a.mu.Unlock()
		a.film(70 * time.Second)
		if got := r.Cameras(); len(got) != 1 || got[0].ID() != "front" || len(r.Status().Streams) != 1 {
			t.Errorf("%d cameras are recorded", len(got))
		}
		a.mu.Lock()
		a.order = []string{"front", "yard"}
		a.mu.Unlock()
		a.film(90 * time.Second)
		if n := len(r.Cameras()); n != 2 {
			t.Errorf("%d cameras are recorded after it came back", n)
		}
		stop()
		wantAll(t, a, s, "front")
	})
}

func TestBounds_ManyCamerasHaveLessMemoryEach(t *testing.T) {
	b := newBounds(0)
	for cameras, want := range map[int64]int64{1: 24 << 20, 16: 24 << 20, 64: 8 << 20, 256: leastMemory} {
		b.cameras.Store(cameras)
		if got := b.memory(24 << 20); got != want {
			t.Errorf("of %d cameras each has %d bytes", cameras, got)
		}
	}
	one, other := holes{agent: &b.holes}, holes{agent: &b.holes}
	many := make([]fragment.Entry, maxHoles)
	for i := range many {
		many[len(many)-1-i] = fragment.Entry{StartUs: int64(i + 1), Bytes: 1}
	}
	one.set(many)
	other.set(many)
	other.add(fragment.Entry{StartUs: 1 << 40})
	n, _ := one.left()
	m, bytes := other.left()
	if n != maxHoles || m != agentHoles-maxHoles || bytes != int64(m)-1 || b.holes.Load() != agentHoles {
		t.Errorf("%d and %d holes with %d bytes, %d counted", n, m, bytes, b.holes.Load())
	}
	one.set(nil)
	if got := b.holes.Load(); got != int64(m) {
		t.Errorf("%d are left", got)
	}
}
