package hostile

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
	"github.com/sightline-cam/sightline/viewer"
)

// publisher is an agent as small as can be, with all of package signaling's
// checks.
type publisher struct {
	t        *testing.T
	id       *identity.Identity
	endpoint *peer.Endpoint
	verifier *signaling.OfferVerifier
	signal   *client.Client
	reject   bool
	accepted atomic.Int32

	mu       sync.Mutex
	sessions []*peer.Session
	serving  sync.WaitGroup
}

func publish(t *testing.T, s *Server, change func(*publisher)) *publisher {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	id, err := identity.Generate()
	must(err)
	p := &publisher{t: t, id: id}
	p.endpoint, err = peer.Listen(peer.EndpointOptions{Certificate: id.Certificate(), Addr: "127.0.0.1:0", Loopback: true})
	must(err)
	p.verifier, err = signaling.NewOfferVerifier(signaling.OfferVerifierOptions{
		Identity: id, Authorize: func(*signaling.Offer) error { return nil }, EarliestClock: time.Unix(1, 0),
	})
	must(err)
	if change != nil {
		change(p)
	}
	p.signal, err = client.New(client.Options{URL: s.URL(), Identity: id, OnMessage: p.message})
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	p.serving.Go(func() { _ = p.signal.Run(ctx) })
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
	})
	soon, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	must(s.Registered(soon, id.PeerID()))
	return p
}

func (p *publisher) message(ctx context.Context, from identity.PeerID, payload string) {
	in, err := signaling.Open(p.id, payload)
	if err != nil {
		return
	}
	if _, ok := in.Message().(*signaling.Offer); !ok {
		return
	}
	session, err := p.verifier.Accept(time.Now(), in)
	if err != nil {
		p.t.Error(err)
		return
	}
	p.accepted.Add(1)
	var reply string
	if p.reject {
		reply, err = session.Reject(time.Now(), signaling.RejectBusy, "Later.")
	} else {
		reply, err = p.answer(ctx, session)
	}
	if err != nil {
		p.t.Error(err)
		return
	}
	_ = p.signal.Send(ctx, from, reply)
}

func (p *publisher) answer(ctx context.Context, session *signaling.PublisherSession) (string, error) {
	s, sdp, err := p.endpoint.Answer(ctx, peer.Offer{SDP: session.Offer().SDP, Pick: func(_, kind string) peer.Stream {
		if kind == "video" {
			return picture{}
		}
		return nil
	}})
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	p.sessions = append(p.sessions, s)
	p.mu.Unlock()
	p.serving.Go(func() {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /v1/secret", func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"secret": "the dog's name"})
		})
		_ = http.Serve(s.Listener(), mux)
	})
	return session.Answer(time.Now(), sdp)
}

// picture is a camera with a test picture, ten key frames a second.
type picture struct{}

func (picture) Renditions() int { return 1 }
func (picture) Track(int) (codecs.Track, bool) {
	return codecs.Track{Codec: codecs.H264, ClockRate: 90000}, true
}
func (picture) RequestKeyFrame(int) {}
func (picture) Open(int) peer.Feed {
	e, err := testpattern.New(testpattern.Options{Width: 640, Height: 360, FPS: 10, GOP: 100 * time.Millisecond})
	if err != nil {
		panic(err)
	}
	f := &pictureFeed{feed: &feed{repeater: newRepeater(nil), wake: make(chan struct{}, 1)}, stop: make(chan struct{})}
	f.ticking.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for n := int64(0); ; n++ {
			now := time.Now()
			u := &codecs.Unit{PTS: n * 9000, Arrived: now, Key: true, Payload: e.Encode(now)}
			f.push(rtppack.NewFrame(codecs.H264, u))
			select {
			case <-tick.C:
			case <-f.stop:
				return
			}
		}
	})
	return f
}

type pictureFeed struct {
	*feed
	stop    chan struct{}
	once    sync.Once
	ticking sync.WaitGroup
}

func (f *pictureFeed) Close() {
	f.once.Do(func() { close(f.stop) })
	f.ticking.Wait()
	f.feed.Close()
}

func watch(t *testing.T, s *Server, p *publisher) (*viewer.Session, error) {
	t.Helper()
	id, err := viewer.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return viewer.Dial(t.Context(), viewer.Options{SignalURL: s.URL(), Identity: id, Peer: p.id.PeerID(), Loopback: true, NoAudio: true, Timeout: patience})
}

// works looks at a picture and asks for the secret.
func works(t *testing.T, v *viewer.Session) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if f, err := v.ReadFrame(ctx); err != nil || len(f.Unit.Payload) == 0 {
		t.Fatalf("no picture: %v", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, viewer.BaseURL+"/v1/secret", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := v.HTTP().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct{ Secret string }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Secret == "" {
		t.Errorf("the secret is %q, %v", got.Secret, err)
	}
}

// TestRelay_GetsNowhereUnlessSendersAreNotChecked tries the whole man in the
// middle on the real viewer. Built with the tag "weakened" it switches the one
// check off that is in the way, and the attack succeeds.
func TestRelay_GetsNowhereUnlessSendersAreNotChecked(t *testing.T) {
	s := listen(t)
	p := publish(t, s, nil)
	v, err := watch(t, s, p)
	if err != nil {
		t.Fatal("control: ", err)
	}
	works(t, v)
	_ = v.Close()

	r, err := NewRelay(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err = watch(t, s, p); !errors.Is(err, identity.ErrKeyStatement) {
		t.Errorf("the viewer says: %v", err)
	}
	if n, _ := check.Of(err); n != check.Sender {
		t.Errorf("the check is %q", n)
	}
	if r.Pictures() != 0 || len(r.Requests()) != 0 || p.accepted.Load() != 1 {
		t.Errorf("it saw %d pictures and %v", r.Pictures(), r.Requests())
	}
	if !check.Weakened {
		return
	}
	t.Setenv("SIGHTLINE_WEAKEN", string(check.Sender))
	v, err = watch(t, s, p)
	if err != nil {
		t.Fatal("without the check: ", err)
	}
	works(t, v)
	if r.Pictures() == 0 || len(r.Requests()) != 1 || r.Requests()[0] != "GET /v1/secret" || r.Err() != nil {
		t.Errorf("it saw %d pictures and %v; its mistake: %v", r.Pictures(), r.Requests(), r.Err())
	}
	_ = v.Close()
}
