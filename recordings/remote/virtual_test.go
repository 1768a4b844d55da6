package remote

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/spool"
)

// watch is a live viewer: what it saw of which picture, and how late.
type watch struct {
	mu    sync.Mutex
	seen  map[uint64]time.Duration
	place *place
	stop  func()
	line  *line
}

// look lets the viewer watch.
func (p *place) look() *watch {
	p.t.Helper()
	w := &watch{seen: map[uint64]time.Duration{}, place: p}
	var err error
	soon, enough := context.WithTimeout(context.Background(), time.Minute)
	defer enough()
	w.line, err = p.dial(soon, p.watcher, 500*time.Millisecond)
	p.check(err)
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			f, err := w.line.ReadFrame(ctx)
			if err != nil {
				return
			}
			n := numberOf(f.Unit)
			w.mu.Lock()
			if _, again := w.seen[n]; !again {
				w.seen[n] = time.Since(p.arrived(n))
			}
			w.mu.Unlock()
		}
	})
	w.stop = sync.OnceFunc(func() { cancel(); reading.Wait() })
	return w
}

// arrived is when the agent had a picture.
func (p *place) arrived(n uint64) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.times[n]
}

func numberOf(u *codecs.Unit) uint64 {
	nal := u.Payload[len(u.Payload)-1]
	var n uint64
	for _, b := range nal[2:10] {
		n = n<<8 | uint64(b)
	}
	return n & (1<<20 - 1)
}

// between returns how many of the pictures from one to another came, and the delay
// that 99 of 100 did not exceed.
func (w *watch) between(from, to int64) (share float64, late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var delays []time.Duration
	for n := from; n < to; n++ {
		if d, ok := w.seen[uint64(n)]; ok {
			delays = append(delays, d)
		}
	}
	if len(delays) == 0 {
		return 0, 0
	}
	slices.Sort(delays)
	return float64(len(delays)) / float64(to-from), delays[len(delays)*99/100]
}

func (p *place) record(s *shelf, change func(*Options)) (*Remote, func()) {
	o := Options{Dial: p.recorderDial, Store: s, NewTape: s.tape, Logger: slog.New(slog.NewTextHandler(p.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	p.check(err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(ctx) })
	return r, sync.OnceFunc(func() { cancel(); running.Wait() })
}

// Over the real transport, with one packet of twenty lost at a round trip of 80 ms,
// a minute without any network, an agent that is started anew, and no signaling
// since the beginning: every picture is there.
func TestVirtual_NoPictureIsMissing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t, 40*time.Millisecond, spool.Options{Dir: dir})
		p.world.Lose(0.05)
		s := &shelf{}
		r, stop := p.record(s, func(o *Options) { o.CatchUpBytes = 4 << 20 / slower })
		p.film(20 * time.Second)
		p.noSign.Store(true)
		p.world.Cut()
		p.film(60 * time.Second)
		p.world.Mend()
		p.film(10 * time.Second)
		for i := 0; i < 60 && !r.Status().Connected; i++ { // an attempt takes 15 s, and may fail
			p.film(time.Second)
		}
		w := p.look()
		p.film(3 * time.Second)
		from := p.next
		for i := 0; i < 30 && r.Status().Streams[0].Missing > 0; i++ {
			p.film(time.Second)
		}
		filling := time.Duration(p.next-from) * frames25
		share, late := w.between(from, p.next-25)
		w.stop()
		p.halt()
		_ = w.line.Close()
		p.dark(5 * time.Second)
		p.boot()
		p.world.Mend()
		p.film(35 * time.Second)
		last := len(p.made) // the rest is on its way
		for i := 0; i < 900 && r.Status().Streams[0].Missing > 0; i++ {
			p.film(time.Second)
		}
		w = p.look()
		p.film(3 * time.Second)
		from = p.next
		p.film(10 * time.Second)
		after, lateAfter := w.between(from, p.next-25)
		w.stop()
		st := r.Status().Streams[0]
		p.halt()
		_ = w.line.Close()
		stop()
		lacking, twice, _ := compare(p.made[:last], s.pieces(t, mainOf("front")))
		_, _, otherwise := compare(p.made, s.pieces(t, mainOf("front")))
		t.Logf("a live viewer saw %.4f of the pictures, 99 %% within %v, while others were fetched, and %.4f within %v after that", share, late, after, lateAfter)
		// With fewer packets chance alone is taken for congestion now and then, and
		// there is soon nothing left to be fetched.
		if slower == 1 && (filling < 10*time.Second || share < after-0.005 || late > lateAfter+200*time.Millisecond) {
			t.Errorf("a live viewer saw %.4f of the pictures, 99 %% within %v, while others were fetched (%v), and %.4f within %v after that", share, late, filling, after, lateAfter)
		}
		live, backfilled, _, pieces := s.origins(mainOf("front"))
		t.Logf("%d pictures; %d live segments, %d backfilled with %d fragments; %+v", len(p.made), live, backfilled, pieces, st)
		if lacking > 0 || twice > 0 || otherwise > 0 {
			t.Errorf("of %d pictures %d are missing, %d there twice, %d otherwise", last, lacking, twice, otherwise)
		}
	})
}

// A line that carries twice what the camera sends: while a minute is fetched over it
// in the background, somebody who watches live does not notice.
func TestVirtual_LiveViewerDoesNotNoticeTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t, 20*time.Millisecond, spool.Options{MemoryBytes: 64 << 20})
		missed := 60 * time.Second
		if slower > 1 {
			p.slower, missed = 2, 24*time.Second
		}
		p.home.narrow(7_000_000/p.slower, 400*time.Millisecond)
		p.film(missed)
		w := p.look()
		p.film(10 * time.Second)
		s := &shelf{}
		r, stop := p.record(s, func(o *Options) { o.CatchUpBytes = 1 })
		p.film(5 * time.Second) // the recorder's own first pictures come in a burst
		p.home.worstSince()
		from := p.next
		for i := 0; i < 900 && r.Status().Streams[0].Missing > 0; i++ {
			p.film(time.Second)
		}
		to := p.next
		st := r.Status().Streams[0]
		worst := p.home.worstSince()
		p.film(10 * time.Second)
		end := p.next - 25
		shareAfter, lateAfter := w.between(to+50, end)
		share, late := w.between(from, to)
		took := time.Duration(to-from) * frames25
		t.Logf("%d fragments, %d bytes in %v (%.0f kbit/s): %.4f of the pictures came, 99 %% of them within %v; after that %.4f within %v; the queue was up to %v, %d packets lost",
			st.Backfilled, st.BackfilledBytes, took, float64(st.BackfilledBytes*8)/took.Seconds()/1000, share, late, shareAfter, lateAfter, worst, p.home.lost)
		if st.Backfilled < uint64(missed/time.Second)/2 || st.Missing > 0 || share < 0.995 || late > lateAfter+60*time.Millisecond {
			t.Errorf("live pictures suffer: status %+v", st)
		}
		p.halt()
		stop()
		w.stop()
		_ = w.line.Close()
	})
}
