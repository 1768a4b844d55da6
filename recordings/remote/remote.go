package remote

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/viewer"
)

// Remote records the cameras of one agent. Safe for concurrent use.
type Remote struct {
	o Options // constant

	mu      sync.Mutex
	cameras []*recording    // in the order in which they became known
	links   []*link         // those that run
	known   map[string]bool // ids at the agent, at most maxKnown; false: not to be recorded
	told    bool            // that there are more
	found   error           // why the cameras could not be listed; nil if they were
	since   time.Time
}

// New returns a remote that does nothing before Run.
func New(o Options) (*Remote, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	return &Remote{o: o, since: time.Now(), known: make(map[string]bool)}, nil
}

const (
	// rediscover is how often the agent is asked whether it has another camera.
	rediscover = time.Minute
	// askTime bounds a short request.
	askTime = 15 * time.Second
)

// errNoCamera says that an agent has nothing that could be recorded.
var errNoCamera = errors.New("the agent has no camera that this recorder may watch")

// Run records until ctx ends, then ends all segments and returns ctx's error. Call
// it once.
func (r *Remote) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	wait := backoff{low: r.o.MinBackoff, high: r.o.MaxBackoff}
	var known []viewer.Camera
	for ctx.Err() == nil {
		if len(known) == 0 {
			var err error
			known, err = r.discover(ctx)
			r.foundCameras(err)
			if err != nil {
				r.o.Logger.Debug("the agent's cameras could not be listed", "error", err)
				_ = sleep(ctx, wait.next())
				continue
			}
		}
		recs := r.record(ctx, &running, known)
		if len(recs) == 0 {
			known = nil
			_ = sleep(ctx, wait.next())
			continue
		}
		wait.reset()
		known = r.serve(ctx, recs)
	}
	return ctx.Err()
}

// record returns what records the cameras, and runs it. What records others ends.
func (r *Remote) record(ctx context.Context, running *sync.WaitGroup, known []viewer.Camera) (recs []*recording) {
	r.o.bounds.cameras.Store(int64(len(known)))
	for _, c := range known {
		rec, fresh := r.recordingOf(c)
		if rec == nil {
			continue
		}
		if fresh {
			var life context.Context
			life, rec.stop = context.WithCancel(ctx)
			running.Go(func() { rec.run(life) })
		}
		recs = append(recs, rec)
	}
	r.mu.Lock()
	var gone []*recording
	r.cameras = slices.DeleteFunc(slices.Clone(r.cameras), func(rec *recording) bool {
		if slices.Contains(recs, rec) {
			return false
		}
		gone = append(gone, rec)
		return true
	})
	r.mu.Unlock()
	for _, rec := range gone {
		rec.camera.set(nil, "The agent does not show this camera to this recorder any more.")
		rec.stop()
		<-rec.done // before another one of the same camera
		for _, s := range rec.streams {
			s.holes.set(nil)
		}
	}
	return recs
}

// recordingOf returns what records a camera; fresh says that it has to be run. It is
// nil for one that is not to be recorded.
func (r *Remote) recordingOf(v viewer.Camera) (rec *recording, fresh bool) {
	r.mu.Lock()
	for _, rec := range r.cameras {
		if rec.camera.Remote() == v.ID {
			r.mu.Unlock()
			return rec, false
		}
	}
	r.mu.Unlock()
	local := r.o.LocalID(v.ID)
	if local == "" {
		r.mu.Lock()
		r.known[v.ID] = false
		r.mu.Unlock()
		return nil, false
	}
	c := newCamera(local, v)
	rec = newRecording(&r.o, c)
	r.mu.Lock()
	r.cameras = append(r.cameras, rec)
	r.mu.Unlock()
	r.o.OnCamera(c)
	return rec, true
}

// serve keeps sessions with all cameras until ctx ends, or there are others: then it
// returns those.
func (r *Remote) serve(ctx context.Context, recs []*recording) (known []viewer.Camera) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var links []*link
	refused := make(chan struct{}, 1)
	for part := range slices.Chunk(recs, maxCameras) {
		links = append(links, newLink(&r.o, part, refused))
	}
	r.mu.Lock()
	r.links = links
	r.mu.Unlock()
	changed := make(chan []viewer.Camera, 1)
	var running sync.WaitGroup
	for _, l := range links {
		running.Go(func() { l.run(ctx, r.o.Dial) })
	}
	running.Go(func() { r.watch(ctx, links, refused, changed) })
	select {
	case known = <-changed:
	case <-ctx.Done():
	}
	cancel()
	running.Wait()
	return known
}

// watch looks for other cameras than those of the links.
func (r *Remote) watch(ctx context.Context, links []*link, refused <-chan struct{}, changed chan<- []viewer.Camera) {
	var have []string
	for _, l := range links {
		have = append(have, l.ids...)
	}
	for {
		timer := time.NewTimer(rediscover)
		select {
		case <-timer.C:
		case <-refused: // the agent does not give one of them any more
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
		var found []viewer.Camera
		var err error
		if s := links[0].session(); s != nil {
			found, err = r.watchable(ctx, s)
		} else {
			found, err = r.discover(ctx)
		}
		if err != nil {
			r.o.Logger.Debug("the agent's cameras could not be listed", "error", err)
			continue
		}
		ids := make([]string, 0, len(found))
		for _, c := range found {
			ids = append(ids, c.ID)
		}
		slices.Sort(ids)
		slices.Sort(have)
		if !slices.Equal(ids, have) {
			changed <- found
			return
		}
	}
}

// discover connects only to ask for the cameras.
func (r *Remote) discover(ctx context.Context) ([]viewer.Camera, error) {
	s, err := r.o.Dial(ctx, Want{Patience: r.o.Patience})
	if err != nil {
		return nil, err
	}
	defer s.Close() //nolint:errcheck // it has nothing to tell
	return r.watchable(ctx, s)
}

// watchable returns those cameras of a session that may be watched and are to be
// recorded. A session that asked for another one as well would be refused.
func (r *Remote) watchable(ctx context.Context, s Session) ([]viewer.Camera, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	cameras, err := s.Cameras(ctx)
	if err != nil {
		return nil, err
	}
	rights, known := rightsOf(ctx, s)
	out := make([]viewer.Camera, 0, len(cameras))
	for _, c := range cameras {
		may := !known || slices.Contains(rights[c.ID], "live")
		if c.ID != "" && len(c.ID) <= maxID && may && (len(r.o.Cameras) == 0 || slices.Contains(r.o.Cameras, c.ID)) {
			out = append(out, c)
		}
	}
	if out = r.within(out); len(out) == 0 {
		return nil, errNoCamera
	}
	return out, nil
}

// within returns those cameras that are recorded: each once, and not more different
// ones than an agent can have.
func (r *Remote) within(cameras []viewer.Camera) []viewer.Camera {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]viewer.Camera, 0, min(len(cameras), maxKnown))
	here := make(map[string]bool)
	for _, c := range cameras {
		record, known := r.known[c.ID]
		switch {
		case here[c.ID] || known && !record:
			continue
		case !known && len(r.known) >= maxKnown:
			if !r.told {
				r.told = true
				r.o.Logger.Warn("the agent shows more cameras than are recorded of one; name those that matter in the settings", "most", maxKnown)
			}
			continue
		}
		here[c.ID], r.known[c.ID] = true, true
		out = append(out, c)
	}
	return out
}

// maxRights is the longest answer to GET /v1/me that is read, in bytes.
const maxRights = 1 << 20

// rightsOf asks what may be done with each camera.
func rightsOf(ctx context.Context, s Session) (map[string][]string, bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, viewer.BaseURL+"/v1/me", nil)
	if err != nil {
		return nil, false
	}
	res, err := s.HTTP().Do(req)
	if err != nil {
		return nil, false
	}
	defer res.Body.Close() //nolint:errcheck // read
	var me struct {
		Rights map[string][]string `json:"rights"`
	}
	if res.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(res.Body, maxRights)).Decode(&me) != nil {
		return nil, false
	}
	return me.Rights, me.Rights != nil
}

func (r *Remote) foundCameras(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if (r.found == nil) != (err == nil) {
		r.since = time.Now()
	}
	r.found = err
}

// Cameras returns those that are known by now.
func (r *Remote) Cameras() []*Camera {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*Camera, 0, len(r.cameras))
	for _, rec := range r.cameras {
		out = append(out, rec.camera)
	}
	return out
}

// Status returns how things stand.
func (r *Remote) Status() Status {
	r.mu.Lock()
	st := Status{Connected: len(r.links) > 0, Since: r.since}
	if r.found != nil {
		st.Connected, st.Reason = false, awayReason(r.found)
	}
	links, cameras := r.links, r.cameras
	r.mu.Unlock()
	for _, l := range links {
		connected, reason, since := l.state()
		if !connected {
			st.Connected, st.Reason = false, reason
		}
		if since.After(st.Since) {
			st.Since = since
		}
	}
	if !st.Connected && st.Reason == "" {
		st.Reason = "Connecting to the agent."
	}
	now := time.Now()
	for _, rec := range cameras {
		for _, s := range rec.streams {
			st.Streams = append(st.Streams, s.Status(now))
		}
	}
	return st
}

// backoff gives the waits between attempts: doubling, each at random from the upper
// half, so that what was lost together does not come back together.
type backoff struct {
	low, high time.Duration // constant
	top       time.Duration
}

func (b *backoff) next() time.Duration {
	top := max(b.top, b.low)
	b.top = min(2*top, b.high)
	return top/2 + rand.N(top/2+1) //nolint:gosec // spreading load needs no secret randomness
}

func (b *backoff) reset() { b.top = 0 }
