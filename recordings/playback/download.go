package playback

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/trust"
)

const (
	// recheckEvery is how often it is asked, while something is sent, whether the
	// client may still have it.
	recheckEvery = 500 * time.Millisecond
	// stallTimeout is how long a client may take nothing of what is sent to it.
	stallTimeout = 30 * time.Second
	// chunk is what is written at once, in bytes: with it a client on a slow line
	// makes progress within stallTimeout.
	chunk = 64 << 10
)

// errRevoked ends an answer whose client may not have it any more.
var errRevoked = errors.New("the right to watch was taken back")

// download is an answer that may take as long as it gets on: the write deadline
// moves on with every chunk, and comes at once when the right is taken back. It is
// an http.ResponseWriter; one goroutine writes to it.
type download struct {
	http.ResponseWriter
	// Constant after construction.
	rc       *http.ResponseController
	standing func() error
	cancel   context.CancelCauseFunc
	stall    time.Duration

	muted bool // owned by the handler: the body that follows is not to be sent

	mu      sync.Mutex // guards what follows
	revoked bool
	done    bool
	timer   *time.Timer
	checks  sync.WaitGroup // the timer, while it is set
}

// download begins an answer to p, who watches the camera. The request returned has a
// context that ends when the answer must. done is called when the handler returns.
func (a *API) download(w http.ResponseWriter, r *http.Request, p *trust.Principal, camera string) (d *download, req *http.Request, done func()) {
	return a.downloadWhile(w, r, func() error { return a.mayStillWatch(p, camera) })
}

// mayStillWatch asks again. The error names the check that refuses.
func (a *API) mayStillWatch(p *trust.Principal, camera string) error {
	now, err := a.opts.Standing(p)
	if err != nil {
		return err
	}
	return now.Need(access.Playback, camera)
}

// downloadWhile begins an answer that goes on as long as standing has no error.
func (a *API) downloadWhile(w http.ResponseWriter, r *http.Request, standing func() error) (*download, *http.Request, func()) {
	ctx, cancel := context.WithCancelCause(r.Context())
	d := &download{ResponseWriter: w, rc: http.NewResponseController(w), standing: standing, cancel: cancel, stall: a.stall}
	_ = d.rc.SetReadDeadline(time.Time{}) // the request is read; its deadline would end the context
	d.checks.Add(1)
	d.timer = time.AfterFunc(recheckEvery, d.check)
	return d, r.WithContext(ctx), d.close
}

// check asks whether the client may go on.
func (d *download) check() {
	defer d.checks.Done()
	err := d.standing()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.done:
	case err == nil:
		d.checks.Add(1)
		d.timer.Reset(recheckEvery)
	default:
		d.revoked = true
		countRefusal(d.ResponseWriter, err)
		_ = d.rc.SetWriteDeadline(time.Unix(1, 0)) // ends a write that waits
		d.cancel(errRevoked)
	}
}

// close ends the checks and waits for one that runs.
func (d *download) close() {
	d.mu.Lock()
	d.done = true
	if d.timer.Stop() {
		d.checks.Done()
	}
	d.mu.Unlock()
	d.checks.Wait()
	d.cancel(nil)
}

// roll moves the deadline on.
func (d *download) roll() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.revoked {
		return errRevoked
	}
	_ = d.rc.SetWriteDeadline(time.Now().Add(d.stall)) // not in tests without a connection
	return nil
}

// Write implements io.Writer.
func (d *download) Write(p []byte) (n int, err error) {
	if d.muted {
		return len(p), nil
	}
	for len(p) > 0 {
		if err := d.roll(); err != nil {
			return n, err
		}
		m, err := d.ResponseWriter.Write(p[:min(len(p), chunk)])
		n += m
		if err != nil {
			return n, err
		}
		p = p[m:]
	}
	return n, nil
}

// WriteHeader implements http.ResponseWriter. Errors of http.ServeContent become
// those of the API.
func (d *download) WriteHeader(status int) {
	if status != http.StatusRequestedRangeNotSatisfiable {
		d.ResponseWriter.WriteHeader(status)
		return
	}
	d.muted = true
	h := d.Header()
	h.Del("Content-Disposition")
	fail(status, "range", "There are no such bytes. Content-Range says how many there are.").write(d.ResponseWriter)
}

// Unwrap lets http.ResponseController reach the connection.
func (d *download) Unwrap() http.ResponseWriter { return d.ResponseWriter }
