package remote

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/spool"
	"github.com/sightline-cam/sightline/recordings"
)

// record runs a recorder of an agent.
func record(t *testing.T, a *agent, s *shelf, change func(*Options)) (r *Remote, stop func()) {
	t.Helper()
	o := Options{Name: "other", Dial: a.dial, Store: s}
	if s != nil {
		o.NewTape = s.tape
	}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(stop)
	return r, stop
}

func mainOf(camera string) recordings.Stream {
	return recordings.Stream{Camera: camera, Rendition: recordings.Main}
}

// wantAll fails unless every picture that a camera made is recorded once, with its
// time, but for those of the last seconds, which are on their way.
func wantAll(t *testing.T, a *agent, s *shelf, id string) {
	t.Helper()
	const last = 6
	made := a.cameras[id].made
	made = made[:max(len(made)-last*fps, 0)]
	recorded := s.pieces(t, mainOf(id))
	_, twice, otherwise := compare(a.cameras[id].made, recorded)
	if lacking, _, _ := compare(made, recorded); lacking > 0 || twice > 0 || otherwise > 0 {
		t.Errorf("%s: of %d pictures %d are missing; %d there twice, %d otherwise", id, len(made), lacking, twice, otherwise)
	}
}

func TestRemote_RecordsWhatComesLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front"), &shelf{}
		a.film(3 * time.Second)
		r, stop := record(t, a, s, nil)
		a.film(30 * time.Second)
		st := r.Status()
		a.film(10 * time.Second)
		stop()
		wantAll(t, a, s, "front")
		live, backfilled, _, pieces := s.origins(mainOf("front"))
		if live != 1 || backfilled > 1 || pieces > 3 {
			t.Errorf("%d live segments, %d backfilled ones with %d fragments", live, backfilled, pieces)
		}
		if n := a.fetched(); n > 3 {
			t.Errorf("%d fragments were fetched, and nothing was lost", n)
		}
		if !st.Connected || len(st.Streams) != 1 || !st.Streams[0].Verified || !st.Streams[0].Recording || st.Streams[0].Repaired > 3 {
			t.Errorf("status %+v", st)
		}
	})
}

func TestRemote_WhatIsLostOnTheWayIsFetchedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front"), &shelf{}
		a.lose = func(n int) bool { return n%37 == 5 }
		r, stop := record(t, a, s, nil)
		a.film(60 * time.Second)
		st := r.Status().Streams[0]
		stop()
		wantAll(t, a, s, "front")
		if live, backfilled, _, _ := s.origins(mainOf("front")); live != 1 || backfilled != 0 {
			t.Errorf("%d live segments and %d backfilled", live, backfilled)
		}
		if st.Repaired < 10 || st.Behind > 15*time.Second || st.Missing != 0 {
			t.Errorf("status %+v", st)
		}
	})
}

func TestRemote_ShortOutageLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front"), &shelf{}
		_, stop := record(t, a, s, nil)
		a.film(20*time.Second + 300*time.Millisecond)
		a.outage()
		a.film(4 * time.Second)
		a.mend()
		a.film(30 * time.Second)
		stop()
		wantAll(t, a, s, "front")
		if live, backfilled, _, _ := s.origins(mainOf("front")); live != 1 || backfilled != 0 {
			t.Errorf("%d live segments and %d backfilled", live, backfilled)
		}
	})
}

func TestRemote_LongOutageIsFilledFromTheNewestOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front"), &shelf{}
		r, stop := record(t, a, s, func(o *Options) { o.CatchUpBytes, o.ChunkDuration = 1, 20*time.Second })
		a.film(20*time.Second + 300*time.Millisecond)
		a.outage()
		a.film(60 * time.Second)
		a.mend()
		a.film(40 * time.Second)
		st := r.Status().Streams[0]
		stop()
		wantAll(t, a, s, "front")
		live, backfilled, _, pieces := s.origins(mainOf("front"))
		if live > 3 || backfilled < 3 || backfilled > 5 || pieces < 58 || st.Backfilled != uint64(pieces) || st.Missing != 0 {
			t.Errorf("%d live segments, %d backfilled with %d fragments; status %+v", live, backfilled, pieces, st)
		}
		var starts []recordings.Time
		for _, seg := range s.segments {
			if seg.origin == recordings.Backfill {
				starts = append(starts, seg.ref.Start)
			}
		}
		for i := 1; i < len(starts); i++ {
			if starts[i] > starts[i-1] {
				t.Errorf("an older piece came first: %v", starts)
			}
		}
	})
}

// The agent's process ends without a word, and has kept nothing: what came live
// until then is there.
func TestRemote_AgentThatForgetsCostsWhatItNeverSent(t *testing.T) {
	for _, away := range []time.Duration{3 * time.Second, 40 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			a, s := newAgent(t, "front"), &shelf{}
			_, stop := record(t, a, s, nil)
			a.film(20*time.Second + 300*time.Millisecond)
			a.kill()
			a.blank(away)
			a.restart()
			a.film(30 * time.Second)
			stop()
			made := a.cameras["front"].made
			recorded := s.pieces(t, mainOf("front"))
			lacking, twice, _ := compare(made[:len(made)-60], recorded)
			_, _, otherwise := compare(made, recorded)
			if lacking > 0 || twice > 0 || otherwise > 3*gop {
				t.Errorf("away for %v: %d pictures are missing, %d there twice, %d have another time", away, lacking, twice, otherwise)
			}
			var causes []recordings.Cause
			for _, seg := range s.segments {
				causes = append(causes, seg.before)
			}
			if causes[len(causes)-1] != recordings.AgentUnreachable {
				t.Errorf("gaps %q", causes)
			}
		})
	}
}

func TestRemote_AgentWithADiskForgetsNothing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t), &shelf{}
		a.order, a.cameras["front"] = []string{"front"}, &filmed{epoch: 7}
		a.start("front", spool.Options{Dir: dir})
		_, stop := record(t, a, s, nil)
		a.film(20*time.Second + 300*time.Millisecond)
		a.outage()
		a.film(30*time.Second + 500*time.Millisecond)
		a.kill()
		a.blank(10 * time.Second)
		a.restart()
		a.film(30 * time.Second)
		stop()
		wantAll(t, a, s, "front")
	})
}

func TestRemote_RecorderFetchesWhatItMissedItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t, "front"), &shelf{}
		_, stop := record(t, a, s, nil)
		a.film(20*time.Second + 300*time.Millisecond)
		stop()
		before := len(s.pieces(t, mainOf("front")))
		a.film(90 * time.Second)
		_, stop = record(t, a, s, func(o *Options) { o.CatchUpBytes = 1000 })
		a.film(60 * time.Second)
		stop()
		wantAll(t, a, s, "front")
		if n := a.fetched(); n < 90 || n > 100 || before < 15 {
			t.Errorf("%d fragments were fetched, of 90 missing", n)
		}
	})
}

func TestRemote_WhatTheSpoolHasNotIsAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, s := newAgent(t), &shelf{}
		a.order, a.cameras["front"] = []string{"front"}, &filmed{epoch: 7}
		a.start("front", spool.Options{MemoryBytes: 150_000}) // about half a minute
		r, stop := record(t, a, s, nil)
		a.film(20*time.Second + 300*time.Millisecond)
		a.outage()
		a.film(120 * time.Second)
		a.mend()
		a.film(30 * time.Second)
		st := r.Status().Streams[0]
		stop()
		made := a.cameras["front"].made
		recorded := s.pieces(t, mainOf("front"))
		lacking, twice, _ := compare(made[:len(made)-60], recorded)
		_, _, otherwise := compare(made, recorded)
		if lacking < 800 || lacking > 1300 || twice > 0 || otherwise > 3*gop || st.Missing != 0 {
			t.Errorf("%d of %d pictures are missing, %d there twice, %d otherwise; status %+v", lacking, len(made), twice, otherwise, st)
		}
	})
}
