package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
)

const (
	keepAliveEvery = 15 * time.Second
	eventWrite     = 20 * time.Second // a client that takes longer is gone
)

// getEvents answers GET /v1/events: server-sent events (HTML standard, §9.2).
// First every camera as it is, then each one that changed. There is no queue: a
// slow client misses what lay in between, never the newest state.
func (a *Agent) getEvents(w http.ResponseWriter, r *http.Request) {
	if s := sessionOf(r); s != nil {
		if !s.events.take() {
			tooMany().write(w)
			return
		}
		defer s.events.give()
	}
	if !a.events.take() {
		tooMany().write(w)
		return
	}
	defer a.events.give()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // the request is read; the answer may last
	w.WriteHeader(http.StatusOK)

	stream := &eventStream{w: w, rc: rc, last: make(map[string]cameraView)}
	changed, stop := watchAll(ctx, a.cameras.order)
	defer stop()
	keepAlive := time.NewTicker(keepAliveEvery)
	defer keepAlive.Stop()
	for {
		// Access may have been taken back since, or have become another.
		p, err := a.viewer(r)
		if err != nil || stream.cameras(a.cameras.visible(p), p) != nil {
			return
		}
		select {
		case <-changed:
		case <-keepAlive.C:
			if stream.write([]byte(": still here\n\n")) != nil {
				return
			}
		case <-a.closing:
			return
		case <-ctx.Done():
			return
		}
	}
}

// eventStream writes to one client. Owned by its handler.
type eventStream struct {
	w    http.ResponseWriter
	rc   *http.ResponseController
	last map[string]cameraView // what the client knows, by id
}

// cameras sends those that the client does not know as p may see them. How many are
// watching is shown and is no reason to send.
func (s *eventStream) cameras(all []*publishedCamera, p *trust.Principal) error {
	var out bytes.Buffer
	for _, c := range all {
		v := c.view(p)
		was, known := s.last[v.ID]
		was.Viewers = v.Viewers
		if known && was == v {
			continue
		}
		s.last[v.ID] = v
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		out.WriteString("event: camera\ndata: ")
		out.Write(data) // JSON has no line breaks
		out.WriteString("\n\n")
	}
	if out.Len() == 0 {
		return nil
	}
	return s.write(out.Bytes())
}

func (s *eventStream) write(p []byte) error {
	if err := s.rc.SetWriteDeadline(time.Now().Add(eventWrite)); err != nil {
		return err
	}
	if _, err := s.w.Write(p); err != nil {
		return err
	}
	return s.rc.Flush()
}

// watchAll signals on a channel of capacity 1 that some camera changed.
func watchAll(ctx context.Context, cameras []*publishedCamera) (changed <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	out := make(chan struct{}, 1)
	var wg sync.WaitGroup
	for _, c := range cameras {
		in, stop := c.Watch()
		wg.Go(func() {
			defer stop()
			for {
				select {
				case <-in:
				case <-ctx.Done():
					return
				}
				select {
				case out <- struct{}{}:
				default:
				}
			}
		})
	}
	return out, func() {
		cancel()
		wg.Wait()
	}
}
