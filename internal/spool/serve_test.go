package spool

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// wire is a connection that takes bytes, or does not.
type wire struct {
	*httptest.ResponseRecorder
	stuck   bool
	expired chan struct{} // closed when the write deadline is in the past
}

func (l *wire) Write(p []byte) (int, error) {
	if l.stuck {
		<-l.expired
		return 0, errors.New("i/o timeout")
	}
	return l.ResponseRecorder.Write(p)
}

func (l *wire) SetWriteDeadline(t time.Time) error {
	if t.Before(time.Now()) {
		close(l.expired)
	}
	return nil
}

func TestServeFragment_EndsWhenTheRightIsTakenBack(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := run(t, 1, Options{})
			c.show(2, 50_000) // 250 kB: half a minute at that rate
			start := time.Now()
			over := start.Add(4 * time.Second)
			allowed := func() error {
				if time.Now().After(over) {
					return errors.New("not any more")
				}
				return nil
			}
			w := &wire{httptest.NewRecorder(), stuck, make(chan struct{})}
			err := c.s.ServeFragment(w, httptest.NewRequest(http.MethodGet, "/?rate=64000", nil), "1", Visit{Allowed: allowed})
			if took := time.Since(start); err != nil || took < 4*time.Second || took > 5*time.Second || w.Body.Len() > 60_000 {
				t.Errorf("stuck %v: %d bytes in %v: %v", stuck, w.Body.Len(), took, err)
			}
			if err := c.s.ServeFragment(w, httptest.NewRequest(http.MethodGet, "/", nil), "1", Visit{Allowed: allowed}); err == nil {
				t.Error("it begins without the right")
			}
		})
	}
}

func TestServeFragment_HoldsNoMoreThanItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := run(t, 1, Options{Dir: t.TempDir(), MemoryBytes: 4 << 20})
		c.show(6, 400_000) // 2 MB each; the first are on disk only
		full := errors.New("full")
		var held []int
		visit := Visit{
			Path: func() Path { return Path{Measured: true} },
			Hold: func(n int) (func(), error) {
				held = append(held, n)
				return func() { held = append(held, -n) }, nil
			},
		}
		l := c.list("main").Fragments
		first, last := l[0], l[len(l)-1]
		_, whole, err := c.s.Fragment("main", first.Seq)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []uint64{first.Seq, last.Seq} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Range", "bytes=1000000-1000999")
			w := httptest.NewRecorder()
			if err := c.s.ServeFragment(w, r, strconv.FormatUint(e, 10), visit); err != nil || w.Code != http.StatusPartialContent || w.Body.Len() != 1000 {
				t.Errorf("fragment %d: %d, %d bytes, %v", e, w.Code, w.Body.Len(), err)
			}
			if e == first.Seq && w.Body.String() != string(whole[1_000_000:1_001_000]) {
				t.Error("other bytes")
			}
		}
		if len(held) != 4 || held[0] != portion || held[1] != -portion || held[2] != last.Bytes || held[3] != -last.Bytes {
			t.Errorf("held %d", held)
		}
		visit.Hold = func(int) (func(), error) { return nil, full }
		if err := c.s.ServeFragment(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), "1", visit); !errors.Is(err, full) {
			t.Errorf("%v", err)
		}
		// A list with heads of what is on disk has the heads in memory, and no more.
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		heads, _, _ := c.s.List("main", 0, true)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); len(heads.Fragments) < 5 || len(heads.Fragments[0].Head) == 0 || grown > 1<<20 {
			t.Errorf("%d heads take %d bytes", len(heads.Fragments), grown)
		}
		runtime.KeepAlive(heads)
	})
}

func TestPermit_WaitsForACheckUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := 0
		_, p := newPermit(context.Background(), http.NewResponseController(httptest.NewRecorder()), func() error {
			<-time.After(time.Second)
			checks++
			return nil
		})
		<-time.After(700 * time.Millisecond)
		p.close()
		<-time.After(time.Minute)
		if checks != 1 {
			t.Errorf("%d checks", checks)
		}
	})
}
