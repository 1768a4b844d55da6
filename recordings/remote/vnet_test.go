package remote

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/lab/virtual"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/internal/spool"
	"github.com/sightline-cam/sightline/viewer"
)

// place is an agent with one camera of 2 Mbit/s, a recorder and a viewer, each with
// an address of its own on a virtual internet. Between them is the real transport.
type place struct {
	t       *testing.T
	world   *virtual.World
	home    *uplink
	away    *virtual.Host // the recorder's
	watcher *virtual.Host
	cert    tls.Certificate
	options spool.Options
	noSign  atomic.Bool // signaling is dead

	hub      *camera.Hub
	spool    *spool.Spool
	endpoint *peer.Endpoint
	stopped  func()

	mu       sync.Mutex
	sessions []*peer.Session
	serving  sync.WaitGroup
	made     []*codecs.Unit
	next     int64
	epoch    int64
	times    map[uint64]time.Time // when each picture was made
	slower   int                  // by how much less the camera sends than 2 Mbit/s
}

const (
	frames25  = 40 * time.Millisecond
	gop25     = 50
	agentPort = 5000
	secret25  = "for direct calls"
)

func newPlace(t *testing.T, oneWay time.Duration, o spool.Options) *place {
	t.Helper()
	w := virtual.New(t, oneWay)
	n := w.Network(virtual.Public, virtual.NetworkOptions{})
	p := &place{t: t, world: w, home: &uplink{Host: n.Host()}, away: n.Host(), watcher: n.Host(), cert: certificate(t), options: o, times: map[uint64]time.Time{}, slower: slower}
	p.boot()
	return p
}

func (p *place) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// boot starts the agent.
func (p *place) boot() {
	p.t.Helper()
	p.epoch += 1e9
	p.hub = camera.NewHub(camera.HubOptions{})
	p.hub.SetTracks([]codecs.Track{{Codec: codecs.H264, ClockRate: 90_000}})
	p.spool = spool.New([]*camera.Hub{p.hub}, p.options)
	var err error
	p.endpoint, err = peer.Listen(peer.EndpointOptions{
		Certificate: p.cert, Net: p.home, Direct: p, Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), agentPort).String(),
	})
	p.check(err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = p.spool.Run(ctx) })
	p.stopped = func() { cancel(); running.Wait(); p.hub.Close() }
}

// halt ends the agent. The wire is cut meanwhile: where both ends of a session close
// at once, pion waits for a timer under a lock, and virtual time stands still.
func (p *place) halt() {
	p.t.Helper()
	p.world.Cut()
	p.mu.Lock()
	sessions := p.sessions
	p.sessions = nil
	p.mu.Unlock()
	for _, s := range sessions {
		_ = s.Close()
	}
	p.check(p.endpoint.Close())
	p.serving.Wait()
	p.stopped()
}

// film makes pictures for a while; in the dark, nobody is there to make them.
func (p *place) film(d time.Duration) {
	for range int(d / frames25) {
		key := p.next%gop25 == 0
		size := 9_200 / p.slower
		if key {
			size = 50_000 / p.slower
		}
		nal := make([]byte, size)
		nal[0] = 0x41
		if key {
			nal[0] = 0x65
		}
		nal[1] = 0x88
		binary.BigEndian.PutUint64(nal[2:], uint64(p.next)|0x40404040404<<20)
		u := &codecs.Unit{PTS: p.epoch + p.next*3600, At: began + p.next*40_000, Arrived: time.Now(), Key: key, Payload: [][]byte{nal}}
		if key {
			u.Payload = [][]byte{{0x67, 0x42, 0xe0, 0x1f, 0x96}, {0x68, 0xce, 0x3c, 0x80}, nal}
		}
		p.made = append(p.made, u)
		p.mu.Lock()
		p.times[uint64(p.next)] = u.Arrived
		p.mu.Unlock()
		p.hub.WriteUnit(u)
		p.next++
		<-time.After(frames25)
	}
}

func (p *place) dark(d time.Duration) {
	<-time.After(d)
	p.next = (p.next + int64(d/frames25) + gop25 - 1) / gop25 * gop25
}

// serve is the agent's API over one session.
func (p *place) serve(s *peer.Session) {
	p.mu.Lock()
	p.sessions = append(p.sessions, s)
	p.mu.Unlock()
	p.serving.Go(func() {
		srv := &http.Server{Handler: p.handler(s), ReadHeaderTimeout: time.Minute}
		_ = srv.Serve(s.Listener())
		_ = srv.Close()
	})
}

func (p *place) handler(s *peer.Session) http.Handler {
	mux := http.NewServeMux()
	pace := &spool.Pace{}
	path := func() spool.Path {
		st := s.Stats()
		out := spool.Path{
			Measured: len(st.Rungs) > 0, Congested: st.Congested, Capacity: st.Capacity,
			Queue: time.Duration(st.QueueMs * float64(time.Millisecond)),
		}
		p.mu.Lock()
		sessions := slices.Clone(p.sessions)
		p.mu.Unlock()
		for _, other := range sessions {
			o := other.Stats()
			out.Sent += o.Octets
			out.Trouble = out.Trouble || other != s && o.Congested
		}
		return out
	}
	refuse := func(w http.ResponseWriter, err error) {
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"code":"gone","message":"It is gone."}}`)
		}
	}
	mux.HandleFunc("GET /v1/cameras/front/fragments", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, p.spool.ServeList(w, r, nil, func() error { return nil }))
	})
	mux.HandleFunc("GET /v1/cameras/front/fragments/{seq}", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, p.spool.ServeFragment(w, r, r.PathValue("seq"), spool.Visit{Pace: pace, Path: path}))
	})
	mux.HandleFunc("POST /v1/session/offer", func(w http.ResponseWriter, r *http.Request) {
		offer, _ := io.ReadAll(r.Body)
		answer, err := s.Renegotiate(r.Context(), peer.Offer{SDP: string(offer), Pick: p.pick})
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, answer)
	})
	return mux
}

func (p *place) pick(_, kind string) peer.Stream {
	if kind != "video" {
		return nil
	}
	return oneRendition{p.hub}
}

type oneRendition struct{ hub *camera.Hub }

func (s oneRendition) Renditions() int                { return 1 }
func (s oneRendition) Track(int) (codecs.Track, bool) { return s.hub.Video() }
func (s oneRendition) Open(int) peer.Feed             { return s.hub.SubscribeVideo() }
func (s oneRendition) RequestKeyFrame(int)            {}

// Password and Call admit who dials without signaling.
func (p *place) Password(fragment string) (string, bool) { return directPassword(fragment), true }

func (p *place) Call(c peer.DirectCall) error {
	b, err := base64.RawStdEncoding.DecodeString(c.Fragment[len(peer.DirectPrefix):])
	if err != nil {
		return err
	}
	s, err := p.endpoint.AnswerDirect(context.Background(), c, [32]byte(b[:32]))
	if err == nil {
		p.serve(s)
	}
	return err
}

func directPassword(fragment string) string {
	m := hmac.New(sha256.New, []byte(secret25))
	m.Write([]byte(fragment))
	return base64.RawStdEncoding.EncodeToString(m.Sum(nil))
}

func directCall(fingerprint [32]byte) (string, string, error) {
	b := append(fingerprint[:], make([]byte, 114)...)
	_, _ = rand.Read(b[32:])
	fragment := peer.DirectPrefix + base64.RawStdEncoding.EncodeToString(b)
	return fragment, directPassword(fragment), nil
}

// line is a session over the virtual internet.
type line struct {
	conn   *peer.Conn
	frames *peer.UnitReader
	http   *http.Client
}

// dial connects a host by way of signaling, or without while that is dead.
func (p *place) dial(ctx context.Context, from *virtual.Host, patience time.Duration) (*line, error) {
	l := &line{frames: peer.NewUnitReader()}
	o := peer.DialOptions{Net: from, Certificate: certificate(p.t), Patience: patience, OnTrack: l.frames.AddTrack}
	var err error
	if p.noSign.Load() {
		l.conn, err = peer.DialDirect(ctx, o, peer.DirectDial{
			Call: directCall, Fingerprint: p.endpoint.Fingerprint(), Addresses: []netip.AddrPort{netip.AddrPortFrom(p.home.Addr, agentPort)},
		})
	} else {
		o.Video, o.Signal = true, p.answer
		l.conn, err = peer.Dial(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	l.http = &http.Client{Transport: &http.Transport{DialContext: l.conn.DialContext, MaxIdleConnsPerHost: 4, DisableCompression: true}}
	if p.noSign.Load() {
		if err := l.conn.AddCameras(ctx, 1, false, l.offer); err != nil {
			_ = l.Close()
			return nil, err
		}
	}
	return l, nil
}

func (p *place) answer(ctx context.Context, sdp string) (peer.Reply, error) {
	s, answer, err := p.endpoint.Answer(ctx, peer.Offer{SDP: sdp, Pick: p.pick})
	if err != nil {
		return peer.Reply{}, err
	}
	p.serve(s)
	return peer.Reply{SDP: answer}, nil
}

func (l *line) offer(ctx context.Context, sdp string, _ []peer.Section) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, viewer.BaseURL+"/v1/session/offer", io.NopCloser(newReader(sdp)))
	if err != nil {
		return "", err
	}
	res, err := l.http.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return string(answer), err
}

func (l *line) Cameras(ctx context.Context) ([]viewer.Camera, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, viewer.BaseURL+"/v1/cameras", nil)
	if err != nil {
		return nil, err
	}
	res, err := l.http.Do(req)
	if err != nil {
		return nil, err
	}
	return []viewer.Camera{{ID: "front", Name: "Front"}}, res.Body.Close()
}

func (l *line) ReadFrame(ctx context.Context) (viewer.Frame, error) {
	type result struct {
		t *peer.RemoteTrack
		u *codecs.Unit
	}
	ended, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	go func() {
		select {
		case <-l.conn.Done():
			stop()
		case <-ended.Done():
		}
	}()
	t, u, err := l.frames.Read(ended)
	if err != nil {
		return viewer.Frame{}, errors.Join(err, l.conn.Err())
	}
	r := result{t, u}
	return viewer.Frame{Camera: "front", Codec: r.t.Codec(), Unit: r.u}, nil
}

func (l *line) HTTP() *http.Client    { return l.http }
func (l *line) RequestKeyFrame()      {}
func (l *line) Done() <-chan struct{} { return l.conn.Done() }
func (l *line) Err() error            { return l.conn.Err() }
func (l *line) Close() error {
	if l.http != nil {
		l.http.CloseIdleConnections()
	}
	err := l.conn.Close()
	l.frames.End()
	return err
}

// recorderDial is an Options.Dial.
func (p *place) recorderDial(ctx context.Context, w Want) (Session, error) {
	if len(w.Cameras) == 0 {
		return &glance{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	l, err := p.dial(ctx, p.away, w.Patience)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// glance is a session that only tells the cameras: there is one.
type glance struct{ line }

func (g *glance) HTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }}}
}
func (g *glance) Cameras(context.Context) ([]viewer.Camera, error) {
	return []viewer.Camera{{ID: "front", Name: "Front"}}, nil
}
func (g *glance) Close() error { return nil }

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
