package e2e

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/sightline-cam/sightline/web"
)

// flakySite serves the page without one of its modules as long as refuse says so,
// by how often the page was asked for, which loads counts.
func flakySite(t *testing.T, refuse func(load int64) bool) (url string, loads *atomic.Int64) {
	t.Helper()
	loads = new(atomic.Int64)
	page := web.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			loads.Add(1)
		}
		if r.URL.Path == "/strict-json.js" && refuse(loads.Load()) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		page.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, loads
}

// A phone that leaves the WLAN while the page loads misses some of its modules.
func TestPage_LoadsOnceMoreWhenAModuleCannotBeLoaded(t *testing.T) {
	t.Parallel()
	b := launch(t)
	url, loads := flakySite(t, func(load int64) bool { return load == 1 })
	p := b.open("once", url, pageOptions{})
	p.wait("e2e.text().includes('See your cameras')", liveTimeout, nil)
	if n := loads.Load(); n != 2 {
		t.Errorf("loaded %d times", n)
	}
}

func TestPage_SaysSoWhenAModuleCannotBeLoadedAgain(t *testing.T) {
	t.Parallel()
	b := launch(t)
	url, loads := flakySite(t, func(int64) bool { return true })
	p := b.open("never", url+"/#kept", pageOptions{Width: 390, Height: 844})
	p.wait("e2e.all('.late').some((p) => getComputedStyle(p).visibility === 'visible')", liveTimeout, nil)
	t.Logf("see %s", p.screenshot("load-failed"))
	var hash string
	if p.eval("location.hash", &hash); hash != "#kept" || loads.Load() != 2 {
		t.Errorf("loaded %d times, and the address has %q", loads.Load(), hash)
	}
}
