package peer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"
)

const bigDownload = 5 << 20

// pattern returns n bytes that repeat only after a long while.
func pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// apiHandler is a small server with every kind of exchange.
func apiHandler(t *testing.T) http.Handler {
	t.Helper()
	big := pattern(bigDownload)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello "+r.RemoteAddr)
	})
	mux.HandleFunc("GET /big", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(big) })
	mux.HandleFunc("GET /endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(big[:32<<10]); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprintf(w, "%d %x", n, h.Sum(nil))
	})
	mux.HandleFunc("POST /refuse", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		rc := http.NewResponseController(w)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for i := 0; ; i++ {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			if rc.Flush() != nil {
				return
			}
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	})
	return mux
}

func TestHTTP_RequestsShareOneChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, 20*time.Millisecond, apiHandler(t), func(l *link) {
			first := l.get(t, "/hello")
			if !strings.HasPrefix(first, "hello 192.0.2.1:") || !strings.Contains(first, "#") {
				t.Errorf("the server sees the viewer as %q", first)
			}
			for range 5 {
				if got := l.get(t, "/hello"); got != first {
					t.Errorf("a request came by another channel: %q, not %q", got, first)
				}
			}
		})
	})
}

func TestHTTP_UploadArrivesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, 20*time.Millisecond, apiHandler(t), func(l *link) {
			body := pattern(1 << 20)
			res, err := l.client.Post("http://camera/upload", "application/octet-stream", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			got, _ := io.ReadAll(res.Body)
			if want := fmt.Sprintf("%d %x", len(body), sha256.Sum256(body)); string(got) != want {
				t.Errorf("upload: got %s, want %s", got, want)
			}
		})
	})
}

func TestHTTP_StalledDownloadHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, 20*time.Millisecond, apiHandler(t), func(l *link) {
			// Several downloads whose reader does not read: all windows fill up.
			var bodies []io.ReadCloser
			for range 2 {
				res, err := l.client.Get("http://camera/big") //nolint:bodyclose // all of them, below
				if err != nil {
					t.Fatal(err)
				}
				bodies = append(bodies, res.Body)
			}
			elapse(20 * time.Second)
			for range 3 {
				start := time.Now()
				l.get(t, "/hello")
				if took := time.Since(start); took > 200*time.Millisecond {
					t.Errorf("a small request took %v beside stalled downloads", took)
				}
			}
			want := sha256.Sum256(pattern(bigDownload))
			for _, b := range bodies {
				got, err := io.ReadAll(b)
				if err != nil || sha256.Sum256(got) != want {
					t.Errorf("download after the stall: %d bytes, %v", len(got), err)
				}
				_ = b.Close()
			}
		})
	})
}

func TestHTTP_SmallRequestOvertakesDownload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, 20*time.Millisecond, apiHandler(t), func(l *link) {
			var download sync.WaitGroup
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			download.Go(func() {
				if _, err := l.fetch(ctx, "/endless"); !errors.Is(err, context.Canceled) {
					t.Errorf("download: %v", err)
				}
			})
			for range 3 {
				elapse(200 * time.Millisecond)
				start := time.Now()
				l.get(t, "/hello")
				if took := time.Since(start); took > 500*time.Millisecond {
					t.Errorf("a small request took %v beside a download", took)
				}
			}
			cancel()
			download.Wait()
		})
	})
}

func TestHTTP_DownloadSurvivesLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, 10*time.Millisecond, apiHandler(t), func(l *link) {
			l.wire.lose(everyNth(50))
			if got := l.get(t, "/big"); sha256.Sum256([]byte(got)) != sha256.Sum256(pattern(bigDownload)) {
				t.Errorf("download of %d bytes is not what was sent", len(got))
			}
		})
	})
}

func TestHTTP_EventsArriveAsTheyHappen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, 20*time.Millisecond, apiHandler(t), func(l *link) {
			res, err := l.client.Get("http://camera/events")
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			lines := bufio.NewScanner(res.Body)
			for i := 0; i < 3 && lines.Scan(); {
				if lines.Text() == "" {
					continue
				}
				if want := fmt.Sprintf("data: %d", i); lines.Text() != want {
					t.Errorf("event %q, want %q", lines.Text(), want)
				}
				if late := time.Since(start) - time.Duration(i)*time.Second; late > 100*time.Millisecond {
					t.Errorf("event %d is %v late", i, late)
				}
				i++
			}
			_ = res.Body.Close()
		})
	})
}

func TestHTTP_CancelFreesTheChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handled := make(chan struct{}, 1)
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			handled <- struct{}{}
		})
		withLink(t, 20*time.Millisecond, h, func(l *link) {
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				if _, err := l.fetch(ctx, "/"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("canceled request: %v", err)
				}
				cancel()
				<-handled // the handler's context ends with the channel
			}
			elapse(time.Second)
			if a, b := l.conn.set.size(), l.camera.l.set.size(); a != 0 || b != 0 {
				t.Errorf("channels left open: %d here, %d there", a, b)
			}
		})
	})
}

func TestHTTP_RefusedUploadsLeaveTheSessionUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, 20*time.Millisecond, apiHandler(t), func(l *link) {
			var uploads sync.WaitGroup
			for range 20 {
				uploads.Go(func() {
					res, err := l.client.Post("http://camera/refuse", "application/octet-stream", bytes.NewReader(pattern(1<<20)))
					if err != nil {
						return // the write met the closed channel first: also an answer
					}
					_ = res.Body.Close()
				})
			}
			uploads.Wait()
			l.get(t, "/hello")
			elapse(time.Second) // net/http lingers before it closes
		})
	})
}

func TestHTTP_ManyChannelsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, 20*time.Millisecond, apiHandler(t), func(l *link) {
			var requests sync.WaitGroup
			for range channelsAtOnce {
				requests.Go(func() {
					if _, err := l.fetch(t.Context(), "/hello"); err != nil {
						t.Error(err)
					}
				})
			}
			requests.Wait()
		})
	})
}

func TestDialContext_SaysWhenTooManyAreOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, time.Millisecond, apiHandler(t), func(l *link) {
			l.conn.set.limit = channelsAtOnce
			for range channelsAtOnce {
				c, err := l.conn.DialContext(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(c, "GET /hello HTTP/1.1\r\n"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := l.conn.DialContext(t.Context(), "", ""); !errors.Is(err, errTooManyChannels) {
				t.Errorf("one more: %v", err)
			}
		})
	})
}

func TestListener_ClosesAndCountsOtherLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, time.Millisecond, apiHandler(t), func(l *link) {
			l.get(t, "/hello")
			dc, err := l.conn.pc.CreateDataChannel("shell", nil)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := dc.Detach()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := raw.Read(make([]byte, 10)); !errors.Is(err, io.EOF) {
				t.Errorf("read from a channel nobody serves: %v", err)
			}
			if n := l.camera.l.rejected(); n != 1 {
				t.Errorf("%d channels counted as rejected", n)
			}
			l.get(t, "/hello")
		})
	})
}

func TestListener_ServesAPlainChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, time.Millisecond, apiHandler(t), func(l *link) {
			l.get(t, "/hello")
			dc, err := l.conn.pc.CreateDataChannel(channelLabel, &webrtc.DataChannelInit{})
			if err != nil {
				t.Fatal(err)
			}
			raw, err := dc.DetachWithDeadline()
			if err != nil {
				t.Fatal(err)
			}
			// A browser may send a string, cut anywhere, and empty messages.
			for _, part := range []string{"GET /he", "", "llo HTTP/1.1\r\nHost: camera\r\nConnection: close\r\n\r\n"} {
				if _, err := raw.WriteDataChannel([]byte(part), part != "GET /he"); err != nil {
					t.Fatal(err)
				}
			}
			var answer bytes.Buffer
			buf := make([]byte, maxMessage)
			for {
				n, err := raw.Read(buf)
				if err != nil {
					break
				}
				answer.Write(buf[:n])
			}
			res, err := http.ReadResponse(bufio.NewReader(&answer), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if !strings.HasPrefix(string(body), "hello ") {
				t.Errorf("answer %q", body)
			}
		})
	})
}

func TestSession_EndReachesBlockedReaders(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	camera := newAnswerer(t, nil)
	conn, err := Dial(ctx, DialOptions{Loopback: true, Signal: AnswerOnly(camera.signal)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := conn.DialContext(ctx, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "hello"); err != nil {
		t.Fatal(err)
	}
	accepted, err := camera.l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(accepted, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		read <- err
	}()
	camera.close()
	if err := <-read; err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read after the session's end: %v", err)
	}
	<-conn.Done()
	if err := conn.Err(); !errors.Is(err, ErrEnded) {
		t.Errorf("the session ended with %v", err)
	}
	if _, err := conn.DialContext(ctx, "", ""); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial after the end: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

func TestDialContext_EndsWithItsContextWhileThePathIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withLink(t, 20*time.Millisecond, apiHandler(t), func(l *link) {
			go func() { _, _ = l.fetch(t.Context(), "/endless") }()
			elapse(time.Second)
			l.wire.cut()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			for range 3 {
				if _, err := l.fetch(ctx, "/hello"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("request over a cut path: %v", err)
				}
			}
			start := time.Now()
			<-l.conn.Done()
			if err := l.conn.Err(); !errors.Is(err, errPathLost) {
				t.Errorf("the session ended with %v", err)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("the lost path was noticed after %v", took)
			}
		})
	})
}
