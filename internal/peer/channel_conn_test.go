package peer

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type testMessage struct {
	data []byte
	text bool
}

// rawEnd is one end of a data channel without a network: messages arrive at
// once, and closing an end resets the channel for both.
type rawEnd struct {
	out, in chan testMessage
	reset   chan struct{} // shared
	cut     chan struct{} // closed by SetReadDeadline

	resetOnce *sync.Once
	cutOnce   sync.Once
	held      *testMessage // did not fit the reader's buffer
}

func rawPair() (*rawEnd, *rawEnd) {
	ab, ba := make(chan testMessage, 1000), make(chan testMessage, 1000)
	reset, once := make(chan struct{}), &sync.Once{}
	a := &rawEnd{out: ab, in: ba, reset: reset, cut: make(chan struct{}), resetOnce: once}
	b := &rawEnd{out: ba, in: ab, reset: reset, cut: make(chan struct{}), resetOnce: once}
	return a, b
}

func (r *rawEnd) ReadDataChannel(p []byte) (int, bool, error) {
	if r.held == nil {
		select {
		case m := <-r.in:
			r.held = &m
		default:
			select {
			case m := <-r.in:
				r.held = &m
			case <-r.reset:
				return 0, false, io.EOF
			case <-r.cut:
				return 0, false, os.ErrDeadlineExceeded
			}
		}
	}
	m := *r.held
	if len(m.data) > len(p) {
		return len(m.data), false, io.ErrShortBuffer
	}
	r.held = nil
	return copy(p, m.data), m.text, nil
}

func (r *rawEnd) WriteDataChannel(p []byte, text bool) (int, error) {
	if isClosed(r.reset) {
		return 0, io.ErrClosedPipe
	}
	r.out <- testMessage{bytes.Clone(p), text}
	return len(p), nil
}

func (r *rawEnd) SetReadDeadline(time.Time) error {
	r.cutOnce.Do(func() { close(r.cut) })
	return nil
}
func (r *rawEnd) SetWriteDeadline(time.Time) error { return nil }
func (r *rawEnd) Close() error {
	r.resetOnce.Do(func() { close(r.reset) })
	return nil
}

// withConn runs f with a connection and the bare other end of it.
func withConn(t *testing.T, windowed bool, f func(t *testing.T, c *channelConn, far *rawEnd)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := rawPair()
		set := &channelSet{limit: 1}
		c := newChannelConn(near, channelOptions{Windowed: windowed})
		if err := set.add(c); err != nil {
			t.Fatal(err)
		}
		f(t, c, far)
		set.abort()
	})
}

func (r *rawEnd) expect(t *testing.T) testMessage {
	t.Helper()
	synctest.Wait()
	select {
	case m := <-r.in:
		return m
	default:
		t.Fatal("no message was sent")
		return testMessage{}
	}
}

func TestConn_ReadsCutMessagesAnywhere(t *testing.T) {
	withConn(t, false, func(t *testing.T, c *channelConn, far *rawEnd) {
		want := pattern(20000)
		_, _ = far.WriteDataChannel(want[:5], false)
		_, _ = far.WriteDataChannel(nil, false)
		_, _ = far.WriteDataChannel(want[5:], false) // larger than maxChunk
		got := make([]byte, len(want))
		for i := 0; i < len(got); {
			n, err := c.Read(got[i:min(i+7, len(got))])
			if err != nil {
				t.Fatal(err)
			}
			i += n
		}
		if !bytes.Equal(got, want) {
			t.Error("what was read is not what was sent")
		}
	})
}

func TestConn_WritesAreCutTo16KiB(t *testing.T) {
	withConn(t, false, func(t *testing.T, c *channelConn, far *rawEnd) {
		want := pattern(100_000)
		if n, err := c.Write(want); n != len(want) || err != nil {
			t.Fatal(n, err)
		}
		var got []byte
		for len(got) < len(want) {
			m := far.expect(t)
			if len(m.data) > maxChunk || m.text {
				t.Fatalf("a message of %d bytes, text %v", len(m.data), m.text)
			}
			got = append(got, m.data...)
		}
		if !bytes.Equal(got, want) {
			t.Error("what arrived is not what was written")
		}
	})
}

func TestConn_DeadlinesEndBlockedCalls(t *testing.T) {
	withConn(t, true, func(t *testing.T, c *channelConn, _ *rawEnd) {
		start := time.Now()
		_ = c.SetReadDeadline(start.Add(time.Second))
		_, err := c.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("read: %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("read ended after %v", took)
		}
		// The window is full after 64 KiB, and 16 KiB wait.
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := c.Write(pattern(1 << 20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n != initialWindow+maxChunk {
			t.Errorf("write: %d bytes, %v", n, err)
		}
	})
}

func TestConn_DeadlineCanBeMovedWhileBlocked(t *testing.T) {
	withConn(t, false, func(t *testing.T, c *channelConn, far *rawEnd) {
		read := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
		synctest.Wait()
		_ = c.SetReadDeadline(time.Unix(1, 0)) // as net/http does to get its reader back
		if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		_ = c.SetReadDeadline(time.Time{})
		_, _ = far.WriteDataChannel([]byte("x"), false)
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Errorf("read after the deadline was lifted: %v", err)
		}
	})
}

func TestConn_WindowHoldsTheWriterBack(t *testing.T) {
	withConn(t, true, func(t *testing.T, c *channelConn, far *rawEnd) {
		wrote := make(chan error, 1)
		go func() {
			_, err := c.Write(pattern(initialWindow + 2*maxChunk))
			wrote <- err
		}()
		for n := 0; n < initialWindow; {
			n += len(far.expect(t).data)
		}
		synctest.Wait()
		if len(far.in) != 0 {
			t.Error("more was sent than the window allows")
		}
		_, _ = far.WriteDataChannel(appendWindow(nil, initialWindow+100), true)
		if m := far.expect(t); len(m.data) != 100 {
			t.Errorf("%d bytes sent for 100 allowed", len(m.data))
		}
		_, _ = far.WriteDataChannel(appendWindow(nil, 10), true) // a window never shrinks
		_, _ = far.WriteDataChannel(appendWindow(nil, 1<<30), true)
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	})
}

func TestConn_TellsWhatWasRead(t *testing.T) {
	withConn(t, true, func(t *testing.T, c *channelConn, far *rawEnd) {
		for i := range 3 {
			for range 2 {
				_, _ = far.WriteDataChannel(pattern(maxChunk/2), false)
			}
			if _, err := io.ReadFull(c, make([]byte, maxChunk)); err != nil {
				t.Fatal(err)
			}
			m := far.expect(t)
			ctl, err := parseControl(m.data)
			if want := uint64(initialWindow + (i+1)*maxChunk); !m.text || err != nil || ctl.window != want {
				t.Errorf("%q, want window %d", m.data, want)
			}
		}
	})
}

func TestConn_RuleBreakersAreCutOff(t *testing.T) {
	for name, break1 := range map[string]func(far *rawEnd){
		"sends more than the window": func(far *rawEnd) {
			for range initialWindow/maxChunk + 1 {
				_, _ = far.WriteDataChannel(pattern(maxChunk), false)
			}
		},
		"sends an unknown control message": func(far *rawEnd) { _, _ = far.WriteDataChannel([]byte("hello"), true) },
		"sends a message too large":        func(far *rawEnd) { _, _ = far.WriteDataChannel(pattern(maxMessage+1), false) },
	} {
		t.Run(name, func(t *testing.T) {
			withConn(t, true, func(t *testing.T, c *channelConn, far *rawEnd) {
				break1(far)
				synctest.Wait()
				if !isClosed(far.reset) {
					t.Error("the channel was not reset")
				}
				if _, err := io.Copy(io.Discard, c); err == nil {
					t.Error("the reader was not told")
				}
				if _, err := c.Write([]byte("x")); err == nil {
					t.Error("the writer was not told")
				}
			})
		})
	}
}

func TestConn_CloseSendsWhatWasWritten(t *testing.T) {
	withConn(t, true, func(t *testing.T, c *channelConn, far *rawEnd) {
		_, _ = c.Write([]byte("last words"))
		for range 2 {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		if m := far.expect(t); string(m.data) != "last words" {
			t.Errorf("sent %q", m.data)
		}
		if m := far.expect(t); string(m.data) != controlFin || !m.text {
			t.Errorf("sent %q", m.data)
		}
		if isClosed(far.reset) {
			t.Error("the channel was reset before the other side could see the end")
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after Close: %v", err)
		}
		if err := c.SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("deadline after Close: %v", err)
		}
		// The other side says nothing more: the channel goes after a while.
		<-far.reset
	})
}

func TestConn_FinEndsReadsCleanly(t *testing.T) {
	withConn(t, true, func(t *testing.T, c *channelConn, far *rawEnd) {
		_, _ = far.WriteDataChannel([]byte("bye"), false)
		_, _ = far.WriteDataChannel([]byte(controlFin), true)
		got, err := io.ReadAll(c)
		if string(got) != "bye" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		synctest.Wait()
		if !isClosed(far.reset) {
			t.Error("the channel was not reset")
		}
	})
}

func TestConn_ResetWithoutFinIsNoCleanEnd(t *testing.T) {
	withConn(t, true, func(t *testing.T, c *channelConn, far *rawEnd) {
		_, _ = far.WriteDataChannel([]byte("half a"), false)
		synctest.Wait()
		_ = far.Close()
		got, err := io.ReadAll(c)
		if string(got) != "half a" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

func TestConn_AbortIsNoCleanEnd(t *testing.T) {
	for range 50 {
		withConn(t, true, func(t *testing.T, c *channelConn, far *rawEnd) {
			_, _ = c.Write([]byte("half a"))
			c.abort()
			<-far.reset
			for len(far.in) > 0 {
				if m := <-far.in; m.text {
					t.Errorf("%q was sent", m.data)
				}
			}
		})
	}
}

func TestConn_PlainChannelHoldsTheSenderBack(t *testing.T) {
	withConn(t, false, func(t *testing.T, c *channelConn, far *rawEnd) {
		want := pattern(initialWindow * 3)
		for i := 0; i < len(want); i += maxChunk {
			_, _ = far.WriteDataChannel(want[i:i+maxChunk], false)
		}
		synctest.Wait()
		if n := len(far.out); n < 7 {
			t.Errorf("%d messages left unread: the buffer has no bound", n)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("what was read is not what was sent (%v)", err)
		}
	})
}

func TestConn_ManyReadersAndWriters(t *testing.T) {
	withConn(t, false, func(t *testing.T, c *channelConn, far *rawEnd) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { _, _ = c.Write(pattern(1000)) })
			all.Go(func() { _, _ = c.Read(make([]byte, 100)) })
		}
		for range 8 {
			_, _ = far.WriteDataChannel(pattern(100), false)
		}
		all.Wait()
		n := 0
		for n < 8000 {
			n += len(far.expect(t).data)
		}
	})
}

func TestAddr_HostCanBeSplitOff(t *testing.T) {
	for _, a := range []channelAddr{{path: "192.0.2.7:50123", id: 4}, {path: "[2001:db8::1]:9", id: 65534}, {}} {
		if _, _, err := net.SplitHostPort(a.String()); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
}

func FuzzControl(f *testing.F) {
	for _, s := range []string{"fin", "window 0", "window 65536", "window 9007199254740991", "window -1", "window +1", "window", "", "window 99999999999999999999", "FIN", "fin\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		c, err := parseControl(msg)
		if err != nil {
			return
		}
		if c.fin != (string(msg) == controlFin) || c.window > maxWindow {
			t.Errorf("%q parsed as %+v", msg, c)
		}
		if again, err := parseControl(appendWindow(nil, c.window)); err != nil || again.window != c.window {
			t.Errorf("%q does not survive: %+v, %v", msg, again, err)
		}
	})
}

// FuzzConn feeds a connection what a hostile peer may send.
func FuzzConn(f *testing.F) {
	f.Add([]byte("\x00GET / HTTP/1.1"), true)
	f.Add([]byte("\x01window 100000\x01fin\x00x"), true)
	f.Add([]byte("\x00\x00\x01"), false)
	f.Fuzz(func(t *testing.T, script []byte, windowed bool) {
		withConn(t, windowed, func(t *testing.T, c *channelConn, far *rawEnd) {
			read := make(chan int, 1)
			go func() {
				n, _ := io.Copy(io.Discard, c)
				read <- int(n)
			}()
			sent := 0
			for _, part := range bytes.SplitAfter(script, []byte{'\n'}) {
				if len(part) == 0 {
					continue
				}
				text := part[0]&1 == 1
				if !text || !windowed {
					sent += len(part) - 1
				}
				if _, err := far.WriteDataChannel(part[1:], text); err != nil {
					break
				}
			}
			synctest.Wait()
			_ = far.Close()
			if n := <-read; n > sent {
				t.Errorf("%d bytes read of %d sent", n, sent)
			}
		})
	})
}
