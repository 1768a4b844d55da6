package remote

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/spool"
	"github.com/sightline-cam/sightline/viewer"
)

// agent is another agent, as a recorder sees it: sessions that carry frames, and an
// HTTP API. All times are virtual.
type agent struct {
	t *testing.T

	mu       sync.Mutex
	cameras  map[string]*filmed
	order    []string
	cut      bool // no network
	sessions []*session
	noSpool  bool
	lose     func(n int) bool // whether the n-th frame of a session is lost
	lie      func(path string, body []byte) []byte
	requests []string
	dials    int
}

// filmed is a camera with its spool.
type filmed struct {
	hub     *camera.Hub
	hubs    []*camera.Hub
	options spool.Options
	spool   *spool.Spool
	stop    func()
	made    []*codecs.Unit
	sounds  []*codecs.Unit
	next    int64 // number of the next picture
	epoch   int64 // PTS of this run
	codec   codecs.Codec
	encoder *testpattern.Encoder // nil: pictures that nobody could show
}

const (
	fps   = 10
	gop   = 10 // pictures
	began = int64(1_763_740_800_000_000)
)

func newAgent(t *testing.T, ids ...string) *agent {
	t.Helper()
	a := &agent{t: t, cameras: map[string]*filmed{}, order: ids}
	for _, id := range ids {
		a.cameras[id] = &filmed{epoch: 1000}
		a.start(id, spool.Options{})
	}
	t.Cleanup(a.close)
	return a
}

// start starts the process of a camera, with a new hub and spool.
func (a *agent) start(id string, o spool.Options) {
	c := a.cameras[id]
	c.hub = camera.NewHub(camera.HubOptions{})
	c.hubs = []*camera.Hub{c.hub}
	tracks := []codecs.Track{{Codec: codecs.H264, ClockRate: 90_000}}
	if c.codec != codecs.Unknown {
		tracks = append(tracks, codecs.Track{Codec: c.codec, ClockRate: 8000, Channels: 1})
	}
	c.hub.SetTracks(tracks)
	c.options = o
	c.spool = spool.New(c.hubs, o)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = c.spool.Run(ctx) })
	c.stop = sync.OnceFunc(func() { cancel(); running.Wait(); c.hub.Close() })
}

// kill ends the process without anything being written down, restart starts it anew.
func (a *agent) kill() {
	a.mu.Lock()
	sessions := a.sessions
	a.sessions = nil
	a.cut = true
	a.mu.Unlock()
	for _, s := range sessions {
		s.end(errors.New("the path was lost"))
	}
	for _, c := range a.cameras {
		c.stop()
	}
}

func (a *agent) restart() {
	for id, c := range a.cameras {
		c.epoch += 777_777 // PTS begin anew
		c.next = (c.next + gop - 1) / gop * gop
		a.start(id, c.options)
	}
	a.mend()
}

func (a *agent) close() {
	a.kill()
}

// outage ends the sessions, and lets none begin.
func (a *agent) outage() {
	a.mu.Lock()
	sessions := a.sessions
	a.sessions = nil
	a.cut = true
	a.mu.Unlock()
	for _, s := range sessions {
		s.end(errors.New("the path was lost"))
	}
}

func (a *agent) mend() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cut = false
}

// film makes pictures for a while.
func (a *agent) film(d time.Duration) {
	for range int(d * fps / time.Second) {
		for _, id := range a.order {
			a.cameras[id].shoot(false)
		}
		<-time.After(time.Second / fps)
	}
}

// blank lets time pass that the agent does not see.
func (a *agent) blank(d time.Duration) {
	n := int64(d * fps / time.Second)
	for _, c := range a.cameras {
		c.next += n
	}
	<-time.After(d)
}

// shoot makes one picture, and its sound.
func (c *filmed) shoot(key bool) {
	n := c.next
	c.next++
	data := make([]byte, 400+n%7*50)
	binary.BigEndian.PutUint64(data, uint64(n))
	u := &codecs.Unit{
		PTS: c.epoch + n*90_000/fps, At: began + n*1_000_000/fps, Arrived: time.Now(), Key: key || n%gop == 0, Payload: [][]byte{data},
	}
	if u.Key {
		u.Payload = [][]byte{{0x67, 1}, data}
	}
	if c.encoder != nil {
		u.Payload = c.encoder.Encode(time.UnixMicro(u.At))
	}
	c.made = append(c.made, u)
	c.hub.WriteUnit(u)
	if c.codec == codecs.Unknown {
		return
	}
	for i := range int64(2) {
		s := &codecs.Unit{Track: 1, PTS: (2*n + i) * 400, At: u.At + i*50_000, Arrived: time.Now(), Key: true, Payload: [][]byte{binary.BigEndian.AppendUint64(nil, uint64(2*n+i))}}
		c.sounds = append(c.sounds, s)
		c.hub.WriteUnit(s)
	}
}

// session is a connection to the agent.
type session struct {
	agent  *agent
	ctx    context.Context
	cancel context.CancelFunc
	frames chan viewer.Frame
	wg     sync.WaitGroup

	mu  sync.Mutex
	err error
}

// dial is an Options.Dial.
func (a *agent) dial(ctx context.Context, w Want) (Session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dials++
	if a.cut {
		return nil, errors.New("no route to the agent")
	}
	for _, id := range w.Cameras {
		if a.cameras[id] == nil {
			return nil, &viewer.RejectedError{Code: "no_camera", Reason: "There is no such camera."}
		}
	}
	s := &session{agent: a, frames: make(chan viewer.Frame, 1000)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, id := range w.Cameras {
		s.watch(id, w.Sound)
	}
	a.sessions = append(a.sessions, s)
	return s, nil
}

// watch carries a camera's frames; PTS are those of the session.
func (s *session) watch(id string, sound bool) {
	c := s.agent.cameras[id]
	s.agent.dials++
	shift := int64(s.agent.dials) * 1e6
	s.wg.Go(func() { s.carry(id, c.hub.SubscribeVideo(), shift, true) })
	if sound && c.codec != codecs.AAC { // which WebRTC does not carry
		s.wg.Go(func() { s.carry(id, c.hub.SubscribeAudio(), shift, false) })
	}
}

func (s *session) carry(id string, sub *camera.Subscription, shift int64, video bool) {
	defer sub.Close()
	for n := 0; ; {
		f, _, ok := sub.Next()
		if !ok {
			return
		}
		if f == nil {
			select {
			case <-sub.Wake():
				continue
			case <-s.ctx.Done():
				return
			}
		}
		u := *f.Unit
		u.PTS += shift
		u.At = 0
		s.agent.mu.Lock()
		lose := s.agent.lose
		s.agent.mu.Unlock()
		n++
		if lose != nil && lose(n) {
			continue
		}
		select {
		case s.frames <- viewer.Frame{Camera: id, Codec: f.Codec, Unit: &u}:
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *session) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.cancel()
}

func (s *session) Cameras(context.Context) (out []viewer.Camera, err error) {
	s.agent.mu.Lock()
	defer s.agent.mu.Unlock()
	for _, id := range s.agent.order {
		out = append(out, viewer.Camera{ID: id, Name: "Camera " + id})
	}
	return out, nil
}

func (s *session) ReadFrame(ctx context.Context) (viewer.Frame, error) {
	select {
	case f := <-s.frames:
		return f, nil
	default:
	}
	select {
	case f := <-s.frames:
		return f, nil
	case <-s.ctx.Done():
		return viewer.Frame{}, s.Err()
	case <-ctx.Done():
		return viewer.Frame{}, ctx.Err()
	}
}

func (s *session) HTTP() *http.Client    { return &http.Client{Transport: s} }
func (s *session) RequestKeyFrame()      {}
func (s *session) Done() <-chan struct{} { return s.ctx.Done() }
func (s *session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
func (s *session) Close() error {
	s.end(io.EOF)
	s.wg.Wait()
	return nil
}

// RoundTrip serves a request, as the agent would.
func (s *session) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stop := context.AfterFunc(s.ctx, cancel)
	defer stop()
	if s.ctx.Err() != nil {
		return nil, errors.New("the session has ended")
	}
	w := httptest.NewRecorder()
	s.agent.serve(w, r.WithContext(ctx))
	if ctx.Err() != nil {
		if w.Body.Len() == 0 || w.Code/100 != 2 {
			return nil, errors.New("the session has ended")
		}
	}
	res := w.Result()
	s.agent.mu.Lock()
	lie := s.agent.lie
	s.agent.mu.Unlock()
	if lie != nil {
		res.Body = io.NopCloser(bytes.NewReader(lie(r.URL.Path, w.Body.Bytes())))
	}
	return res, nil
}

func (a *agent) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.requests = append(a.requests, r.URL.Path)
	none := a.noSpool
	a.mu.Unlock()
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/cameras/"), "/")
	c := a.cameras[parts[0]]
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"code": code, "message": "No."}})
	}
	if c == nil || len(parts) < 2 || none {
		refuse(http.StatusNotFound, "not_found")
		return
	}
	var err error
	if len(parts) == 2 {
		err = c.spool.ServeList(w, r, nil, func() error { return nil })
	} else {
		err = c.spool.ServeFragment(w, r, parts[2], spool.Visit{Path: func() spool.Path { return spool.Path{Measured: true} }})
	}
	if errors.Is(err, spool.ErrGone) {
		refuse(http.StatusNotFound, "gone")
	}
}

// fetched returns how many requests for fragments there were.
func (a *agent) fetched() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, path := range a.requests {
		if strings.Count(path, "/") > 4 {
			n++
		}
	}
	return n
}
