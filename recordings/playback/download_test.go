package playback

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// large is more than any buffer between the two ends.
const large = 40_000_000

// patience tells what hangs from what takes long on a busy machine.
const patience = time.Minute

// begin opens a download of a large segment and reads a little of it.
func begin(t *testing.T, url, path string) (conn net.Conn, answer *bufio.Reader) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path)
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	answer = bufio.NewReader(conn)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "200 OK") {
		t.Fatalf("%q %v", line, err)
	}
	return conn, answer
}

// largeFile adds a segment that is a hole on disk.
func largeFile(t testing.TB, d *desk) (path string) {
	t.Helper()
	seg := d.shelf.fill(t, front(noon), 40, 10, time.Second, func(s *recordings.Segment) {
		for i := range s.Fragments {
			f := &s.Fragments[i]
			f.Offset, f.Bytes, f.VideoBytes = s.InitBytes+int64(i)*large/40, large/40, large/40
		}
		s.Bytes = s.InitBytes + large
	})
	if err := os.Truncate(d.shelf.path(seg.Ref), seg.Bytes); err != nil {
		t.Fatal(err)
	}
	return "/v1/recordings/front/segments/" + segmentID(seg.Ref)
}

func TestDownload_GoesOnPastTheServersDeadlineWhileBytesFlow(t *testing.T) {
	d := newDesk(t, nil)
	d.deadline = time.Second // longer than the handler may stand still at its beginning
	path := largeFile(t, d)
	_, answer := begin(t, d.server(t, "playback").URL, path)
	tick := time.NewTicker(3 * d.deadline / 20)
	defer tick.Stop()
	began, got := time.Now(), int64(0)
	for i := 0; ; i++ {
		n, err := io.CopyN(io.Discard, answer, 2_000_000)
		got += n
		if errors.Is(err, io.EOF) || got > large {
			break
		}
		if err != nil {
			t.Fatalf("after %v and %d bytes: %v", time.Since(began), got, err)
		}
		<-tick.C
	}
	if got < large || time.Since(began) < 2*d.deadline {
		t.Errorf("%d bytes in %v", got, time.Since(began))
	}
}

// watchEnd tells when the server's one answer has ended.
func watchEnd(s *httptest.Server) <-chan struct{} {
	ended := make(chan struct{})
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		inner.ServeHTTP(w, r)
	})
	return ended
}

// endsByItself waits for an answer whose right has just been taken back, and which
// would go on for longer than it waits.
func endsByItself(t *testing.T, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the download goes on")
	}
}

func TestDownload_ADeadClientIsCut(t *testing.T) {
	d := newDesk(t, nil)
	d.stall = time.Second
	path := largeFile(t, d)
	s := d.server(t, "playback")
	ended := watchEnd(s)
	begin(t, s.URL, path) // and read no more
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the server still waits")
	}
}

func TestDownload_EndsWhenTheRightIsTakenBack(t *testing.T) {
	for name, stalled := range map[string]bool{"while bytes flow": false, "while the client waits": true} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, nil)
			d.stall = 10 * patience
			path := largeFile(t, d)
			s := d.server(t, "playback")
			ended := watchEnd(s)
			_, answer := begin(t, s.URL, path)
			if !stalled {
				go func() { // so slowly that all of it takes minutes
					tick := time.NewTicker(10 * time.Millisecond)
					defer tick.Stop()
					for {
						if _, err := io.CopyN(io.Discard, answer, 2_000); err != nil {
							return
						}
						<-tick.C
					}
				}()
			}
			d.revoke(t, "playback")
			endsByItself(t, ended)
		})
	}
}

func TestDownload_TheRightIsAskedForAgainAndAgain(t *testing.T) {
	d := newDesk(t, nil)
	asked := make(chan struct{}, 10)
	real := d.opts.Standing
	d.opts.Standing = func(p *trust.Principal) (*trust.Principal, error) {
		asked <- struct{}{}
		return real(p)
	}
	path := largeFile(t, d)
	_, answer := begin(t, d.server(t, "playback").URL, path)
	for range 2 {
		<-asked // still there
	}
	if n, err := io.CopyN(io.Discard, answer, large); err != nil {
		t.Errorf("%d bytes: %v", n, err)
	}
}

func TestDownload_TheConnectionIsGoodForMore(t *testing.T) {
	d := newDesk(t, nil)
	seg := d.shelf.fill(t, front(noon), 9, 1000, time.Second, nil)
	s := d.server(t, "playback")
	client := s.Client()
	path := "/v1/recordings/front/segments/" + segmentID(seg.Ref)
	for i := range 3 {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if n != seg.Bytes || err != nil {
			t.Errorf("%d: %d bytes %v", i, n, err)
		}
	}
}
