package spool

import (
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// line is one that carries so many bit/s beside the live pictures.
type line struct {
	free  float64 // bit/s
	queue float64 // bits
	at    time.Time
	worst time.Duration
}

func (l *line) pass(now time.Time, bytes int) {
	l.queue = max(l.queue-l.free*now.Sub(l.at).Seconds(), 0) + float64(bytes*8)
	l.at = now
	l.worst = max(l.worst, time.Duration(l.queue/l.free*float64(time.Second)))
}

func (l *line) path(now time.Time) Path {
	l.pass(now, 0)
	q := time.Duration(l.queue / l.free * float64(time.Second))
	return Path{Measured: true, Queue: q, Congested: q > 110*time.Millisecond}
}

// transfer sends for a while and returns the rate it came to in its second half.
func transfer(p *Pace, l *line, background bool, limit int, blind bool, d time.Duration) (rate float64) {
	start := time.Unix(1000, 0)
	l.at = start
	sent := 0
	var st Path
	var looked time.Time
	for now := start; now.Sub(start) < d; {
		if now.Sub(looked) >= lookEvery && !blind {
			st, looked = l.path(now), now
			p.look(now, st)
		}
		n, wait := p.take(now, st, background, limit, 1<<20)
		now = now.Add(wait)
		l.pass(now, n)
		if now.Sub(start) > d/2 {
			sent += n
		}
	}
	return float64(sent*8) / (d / 2).Seconds()
}

func TestPace_LeavesLivePicturesAlone(t *testing.T) {
	for _, free := range []float64{300_000, 1_000_000, 8_000_000, 80_000_000} {
		l := &line{free: free}
		rate := transfer(&Pace{}, l, true, 0, false, 50*time.Second)
		t.Logf("background: %.0f of %.0f bit/s, queue up to %v", rate, free, l.worst)
		if rate < free*0.25 || rate > free*0.75 || l.worst > 200*time.Millisecond {
			t.Errorf("background: %.0f of %.0f bit/s, queue up to %v", rate, free, l.worst)
		}
		l = &line{free: free}
		rate = transfer(&Pace{}, l, false, 0, false, 50*time.Second)
		t.Logf("urgent: %.0f of %.0f bit/s, queue up to %v", rate, free, l.worst)
		if rate < free*0.6 || l.worst > 200*time.Millisecond {
			t.Errorf("urgent: %.0f of %.0f bit/s, queue up to %v", rate, free, l.worst)
		}
	}
}

func TestPace_TakesNoMoreThanItIsTold(t *testing.T) {
	if rate := transfer(&Pace{}, &line{free: 1e8}, true, 500_000, false, 20*time.Second); rate < 450_000 || rate > 510_000 {
		t.Errorf("%.0f bit/s of 500000", rate)
	}
	if rate := transfer(&Pace{}, &line{free: 1e8}, false, 0, true, 20*time.Second); rate > 1.05*blindRate {
		t.Errorf("%.0f bit/s where nothing is measured", rate)
	}
}

func TestServeFragment_LeavesAtItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := run(t, 1, Options{})
		c.show(2, 50_000) // 250 kB
		e := c.list("main").Fragments[0]
		start := time.Now()
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/?rate=500000", nil)
		if err := c.s.ServeFragment(w, r, "1", Visit{Path: func() Path { return Path{Measured: true} }}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); w.Body.Len() != e.Bytes || took < 3900*time.Millisecond || took > 5*time.Second {
			t.Errorf("%d of %d bytes in %v", w.Body.Len(), e.Bytes, took)
		}
	})
}

func TestSpan_ReadsOneRange(t *testing.T) {
	for _, tt := range []struct {
		header      string
		from, to    int
		partial, ok bool
	}{
		{"", 0, 100, false, true},
		{"bytes=0-9", 0, 10, true, true},
		{"bytes=90-", 90, 100, true, true},
		{"bytes=90-500", 90, 100, true, true},
		{"bytes=-7", 93, 100, true, true},
		{"bytes=-700", 0, 100, true, true},
		{"bytes=99-99", 99, 100, true, true},
		{"bytes=100-", 0, 0, true, false},
		{"bytes=100-120", 0, 0, true, false},
		{"bytes=-0", 0, 0, true, false},
		{"bytes=9-3", 0, 100, false, true},
		{"bytes=1-2,5-6", 0, 100, false, true},
		{"bytes=x-", 0, 100, false, true},
		{"items=1-2", 0, 100, false, true},
		{"bytes=99999999999999999999-", 0, 100, false, true},
	} {
		from, to, partial, ok := span(tt.header, 100)
		if ok != tt.ok || ok && (from != tt.from || to != tt.to || partial != tt.partial) {
			t.Errorf("%q: %d %d %v %v", tt.header, from, to, partial, ok)
		}
	}
}
