package playback

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/sightline-cam/sightline/internal/check"
)

// tally counts refusals as the agent does, for every writer that it wraps.
type tally struct {
	mu sync.Mutex
	by map[check.Name]int
}

func (c *tally) of(n check.Name) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[n]
}

// wrap returns a writer that counts.
func (c *tally) wrap(w http.ResponseWriter) http.ResponseWriter { return &talliedWriter{w, c} }

type talliedWriter struct {
	http.ResponseWriter
	tally *tally
}

// Refused is found by its name.
func (w *talliedWriter) Refused(err error) {
	w.tally.mu.Lock()
	defer w.tally.mu.Unlock()
	if n, ok := check.Of(err); ok {
		w.tally.by[n]++
	}
}

func (w *talliedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestRefusals_OfWhatWasTakenBackAreCounted(t *testing.T) {
	d := newDesk(t, nil)
	d.stall = 10 * patience
	path := largeFile(t, d)
	hls := openHLS(t, d, "playback", millis(noon), millis(noon)+40_000)
	counted := &tally{by: make(map[check.Name]int)}
	s := d.server(t, "playback")
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(counted.wrap(w), r) })
	ended := watchEnd(s)
	begin(t, s.URL, path) // and waits
	d.revoke(t, "playback")
	endsByItself(t, ended)
	if n := counted.of(check.Revoked); n != 1 {
		t.Errorf("a download that was ended counts %d times", n)
	}
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(counted.wrap(w), d.as("", "GET", hls, ""))
	if n := counted.of(check.Revoked); w.Code != 404 || n != 2 {
		t.Errorf("%d %s; a path that was ended counts %d times", w.Code, w.Body, n-1)
	}
	w = httptest.NewRecorder()
	d.mux.ServeHTTP(counted.wrap(w), d.as("live", "GET", path, ""))
	if n := counted.of(check.Right); w.Code != 403 || n != 1 || !strings.Contains(w.Body.String(), "forbidden") {
		t.Errorf("%d %s; a request without the right counts %d times", w.Code, w.Body, n)
	}
}
