package rtsp

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// socket is a pair of connections whose writes never wait, as a socket's do not.
func socket(t *testing.T) (near net.Conn, write func(b byte)) {
	t.Helper()
	near, far := net.Pipe()
	queue := make(chan byte, 1024)
	go func() {
		for b := range queue {
			if _, err := far.Write([]byte{b}); err != nil {
				return
			}
		}
		_ = far.Close()
	}()
	t.Cleanup(func() { close(queue) })
	return near, func(b byte) { queue <- b }
}

func TestQuietConn_AttentiveReadsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, write := socket(t)
		c := &quietConn{Conn: near}
		defer c.Close()
		began := time.Now()
		write(7)
		b := make([]byte, 10)
		if n, err := c.Read(b); n != 1 || b[0] != 7 || err != nil || time.Since(began) != 0 {
			t.Errorf("%d, %v after %v", n, err, time.Since(began))
		}
	})
}

func TestQuietConn_AViewerWakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, write := socket(t)
		c := &quietConn{Conn: near}
		defer c.Close()
		c.setQuiet(true)
		got := make(chan time.Time, 1)
		go func() {
			if _, err := c.Read(make([]byte, 1)); err == nil {
				got <- time.Now()
			}
		}()
		synctest.Wait() // it waits for the next beat
		c.setQuiet(false)
		synctest.Wait()
		began := time.Now()
		write(1)
		if at := <-got; at.Sub(began) != 0 {
			t.Errorf("read %v after it came", at.Sub(began))
		}
	})
}

func TestQuietConn_LosesAndReordersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, write := socket(t)
		c := &quietConn{Conn: near}
		const n = 200
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range n {
				if i%50 == 25 {
					c.setQuiet(i%100 == 25)
				}
				write(byte(i))
				<-time.After(3 * time.Millisecond)
			}
		}()
		got := make([]byte, n)
		defer func() { <-done }()
		if _, err := io.ReadFull(c, got); err != nil {
			t.Fatal(err)
		}
		for i, b := range got {
			if b != byte(i) {
				t.Fatalf("byte %d is %d", i, b)
			}
		}
		_ = c.Close()
	})
}

func TestNextBeat_IsTheSameForAll(t *testing.T) {
	now := time.Unix(1000, 30_000_000)
	if a, b := nextBeat(now), nextBeat(now.Add(50*time.Millisecond)); !a.Equal(b) || a.Sub(now) != 70*time.Millisecond {
		t.Errorf("%v and %v", a, b)
	}
	if got := nextBeat(time.Unix(1000, 0)); got.Sub(time.Unix(1000, 0)) != beat {
		t.Errorf("a beat at %v", got)
	}
}
