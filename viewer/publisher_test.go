package viewer_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
	"github.com/sightline-cam/sightline/signaling/server"
	"github.com/sightline-cam/sightline/viewer"
)

// patience bounds everything that happens over real sockets.
const patience = time.Minute

// picture is a camera with a test picture; each feed gets pictures of its own.
type picture struct{}

func (picture) Renditions() int { return 1 }
func (picture) Track(int) (codecs.Track, bool) {
	return codecs.Track{Codec: codecs.H264, ClockRate: 90000}, true
}
func (picture) RequestKeyFrame(int) {}
func (picture) Open(int) peer.Feed {
	e, err := testpattern.New(testpattern.Options{Width: 640, Height: 360})
	if err != nil {
		panic(err)
	}
	f := &pictureFeed{encoder: e, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	f.ticking.Go(f.tick)
	return f
}

type pictureFeed struct {
	encoder *testpattern.Encoder
	wake    chan struct{}
	stop    chan struct{}
	ticking sync.WaitGroup
	once    sync.Once

	mu      sync.Mutex
	due, at int
}

func (f *pictureFeed) tick() {
	t := time.NewTicker(40 * time.Millisecond)
	defer t.Stop()
	for {
		f.mu.Lock()
		f.due++
		f.mu.Unlock()
		select {
		case f.wake <- struct{}{}:
		default:
		}
		select {
		case <-t.C:
		case <-f.stop:
			return
		}
	}
}

func (f *pictureFeed) Wake() <-chan struct{} { return f.wake }
func (f *pictureFeed) Next() (*rtppack.Frame, int, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at == f.due {
		return nil, 0, true
	}
	now := time.Now()
	nals := f.encoder.Encode(now)
	u := &codecs.Unit{PTS: int64(f.at) * 3600, Arrived: now, Key: len(nals) > 1, Payload: nals}
	f.at++
	return rtppack.NewFrame(codecs.H264, u), 0, true
}

func (f *pictureFeed) Behind() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.due - f.at
}
func (f *pictureFeed) SkipToKey() int                      { return 0 }
func (f *pictureFeed) SkipToFreshKey(_ time.Duration) bool { return false }
func (f *pictureFeed) Close() {
	f.once.Do(func() { close(f.stop) })
	f.ticking.Wait()
}

// publisher is an agent as small as can be.
type publisher struct {
	t        *testing.T
	id       *identity.Identity
	url      string // of the signaling server
	asked    []signaling.Media
	endpoint *peer.Endpoint
	verifier *signaling.OfferVerifier
	signal   *client.Client
	tamper   func(o *signaling.Offer, answer string) string // what the server makes of an answer
	secret   string                                         // of the claim it accepts
	impostor bool                                           // it does not know the secret, and says yes
	stray    bool                                           // it gives what is another viewer's
	granted  string                                         // what it gave
	reject   signaling.RejectCode

	mu       sync.Mutex
	sessions []*peer.Session
	byes     chan string
	serving  sync.WaitGroup
}

func newPublisher(t *testing.T, change func(*publisher)) *publisher {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	id, err := identity.Generate()
	must(err)
	srv, err := server.New(server.Options{})
	must(err)
	web := httptest.NewServer(srv.Handler())
	p := &publisher{t: t, id: id, url: "ws" + web.URL[len("http"):], byes: make(chan string, 1)}
	p.endpoint, err = peer.Listen(peer.EndpointOptions{Certificate: id.Certificate(), Addr: "127.0.0.1:0", Loopback: true})
	must(err)
	p.verifier, err = signaling.NewOfferVerifier(signaling.OfferVerifierOptions{
		Identity: id, Authorize: func(*signaling.Offer) error { return nil }, EarliestClock: time.Unix(1, 0),
	})
	must(err)
	if change != nil {
		change(p)
	}
	online := make(chan struct{}, 1)
	p.signal, err = client.New(client.Options{
		URL: p.url, Identity: id,
		OnMessage: p.message,
		OnState: func(s client.State, _ error) {
			if s == client.StateOnline {
				select {
				case online <- struct{}{}:
				default: // again
				}
			}
		},
	})
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	p.serving.Go(func() { _ = p.signal.Run(ctx) })
	select {
	case <-online:
	case <-time.After(patience):
		t.Fatal("the publisher does not get online")
	}
	t.Cleanup(func() {
		cancel()
		p.mu.Lock()
		sessions := p.sessions
		p.mu.Unlock()
		for _, s := range sessions {
			_ = s.Close()
		}
		must(p.endpoint.Close())
		p.serving.Wait()
		_ = srv.Close()
		web.Close()
	})
	return p
}

// message takes what comes from the signaling server.
func (p *publisher) message(ctx context.Context, from identity.PeerID, payload string) {
	in, err := signaling.Open(p.id, payload)
	if err != nil {
		p.t.Error(err)
		return
	}
	if b, ok := in.Message().(*signaling.Bye); ok {
		p.byes <- b.Reason
		return
	}
	session, err := p.verifier.Accept(time.Now(), in)
	if err != nil {
		p.t.Error(err)
		return
	}
	if p.reject != "" {
		answer, err := session.Reject(time.Now(), p.reject, "Not today.")
		if err != nil {
			p.t.Error(err)
		}
		_ = p.signal.Send(ctx, from, answer)
		return
	}
	p.asked = session.Offer().Media
	s, sdp, err := p.endpoint.Answer(ctx, peer.Offer{SDP: session.Offer().SDP, Pick: func(_, kind string) peer.Stream {
		if kind == "video" {
			return picture{}
		}
		return nil
	}})
	if err != nil {
		p.t.Error(err)
		return
	}
	p.mu.Lock()
	p.sessions = append(p.sessions, s)
	p.mu.Unlock()
	p.serving.Go(func() { p.serve(s, session) })
	answer, err := session.Answer(time.Now(), sdp)
	if err != nil {
		p.t.Error(err)
		return
	}
	if p.tamper != nil {
		answer = p.tamper(session.Offer(), answer)
	}
	_ = p.signal.Send(ctx, from, answer)
}

// serve is the HTTP API of one session.
func (p *publisher) serve(s *peer.Session, session *signaling.PublisherSession) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/cameras", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"cameras": []map[string]any{{"id": "front", "name": "Front door", "state": "live", "codec": "H.264", "width": 640, "new": 1}},
			"peer":    p.id.PeerID(),
		})
	})
	mux.HandleFunc("POST /v1/claim", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		p.claim(w, r, session)
	})
	mux.HandleFunc("GET /v1/forbidden", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"error":{"code":"forbidden","message":"Ask the owner."}}`)
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: patience}
	if err := srv.Serve(s.Listener()); !errors.Is(err, http.ErrServerClosed) {
		_ = srv.Close()
	}
}

func (p *publisher) dial(t *testing.T, change func(*viewer.Options)) (*viewer.Session, error) {
	t.Helper()
	return p.dialUntil(t.Context(), t, change)
}

func (p *publisher) dialUntil(ctx context.Context, t *testing.T, change func(*viewer.Options)) (*viewer.Session, error) {
	t.Helper()
	id, err := viewer.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	o := viewer.Options{SignalURL: p.url, Identity: id, Peer: p.id.PeerID(), Loopback: true, Timeout: patience}
	if change != nil {
		change(&o)
	}
	return viewer.Dial(ctx, o)
}
