package loopback

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connect makes both ends of a connection, closed with the test.
func connect(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l := Listen(80)
	near, err := l.DialContext(t.Context(), "tcp", "anything:1")
	if err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = near.Close(), far.Close(), l.Close() })
	return near, far
}

func TestConn_CarriesMoreThanItHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := connect(t)
		if near.RemoteAddr().String() != "127.0.0.1:80" || far.RemoteAddr().String() != near.LocalAddr().String() {
			t.Error(near.RemoteAddr(), near.LocalAddr(), far.RemoteAddr())
		}
		want := strings.Repeat("0123456789abcdef", capacity)
		var writing sync.WaitGroup
		writing.Go(func() {
			if n, err := io.WriteString(near, want); n != len(want) || err != nil {
				t.Error(n, err)
			}
			_ = near.Close()
		})
		got, err := io.ReadAll(far)
		if string(got) != want || err != nil {
			t.Errorf("%d of %d bytes, %v", len(got), len(want), err)
		}
		writing.Wait()
		if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Error("written to nobody:", err)
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Error("read from a closed one:", err)
		}
	})
}

func TestConn_DeadlinesEndReadsAndWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := connect(t)
		began := time.Now()
		_ = near.SetDeadline(began.Add(time.Hour))
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Hour {
			t.Error(err, time.Since(began))
		}
		_ = near.SetDeadline(time.Now().Add(time.Minute))
		if n, err := near.Write(make([]byte, 2*capacity)); n != capacity || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(n, err)
		}
		if time.Since(began) != time.Hour+time.Minute {
			t.Error(time.Since(began))
		}
		_ = near.SetDeadline(time.Time{}) // there is none any more
		if n, err := io.ReadFull(far, make([]byte, capacity)); n != capacity || err != nil {
			t.Error(n, err)
		}
		if _, err := near.Write([]byte("x")); err != nil {
			t.Error(err)
		}
	})
}

func TestListener_ServesHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Listen(80)
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.RemoteAddr)
		}), ReadHeaderTimeout: time.Minute}
		var serving sync.WaitGroup
		serving.Go(func() { _ = srv.Serve(l) })
		c := &http.Client{Transport: &http.Transport{DialContext: l.DialContext, DisableKeepAlives: true}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://camera.example/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(resp.Body); !strings.HasPrefix(string(text), "127.0.0.1:") || err != nil {
			t.Errorf("%s, %v", text, err)
		}
		_ = resp.Body.Close()
		_ = srv.Close()
		serving.Wait()
		if _, err := l.DialContext(t.Context(), "tcp", ""); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error("dialled a closed one:", err)
		}
	})
}
