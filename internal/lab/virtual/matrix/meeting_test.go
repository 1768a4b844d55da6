package matrix

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/lab/virtual"
	"github.com/sightline-cam/sightline/internal/peer"
)

const (
	// frameTime is the camera's: 20 frames a second, each in one packet.
	frameTime = 50 * time.Millisecond
	// mediaPort is the agent's UDP port.
	mediaPort = 5000
)

// meeting is a camera, its agent and one viewer, each in a network.
type meeting struct {
	t              *testing.T
	world          *virtual.World
	camera, viewer *virtual.Host
	endpoint       *peer.Endpoint
	hub            *camera.Hub
	signalDelay    time.Duration // of a message from one to the other

	stop   func()      // ends the camera
	outage atomic.Bool // signaling does not work

	mu       sync.Mutex
	conn     *peer.Conn    // nil if there is none
	session  *peer.Session // nil before the offer is answered
	offered  time.Time     // when the viewer sent its offer
	arrivals []time.Time   // of media packets
}

func (m *meeting) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// openCamera starts the agent, with a key frame to begin at.
func (m *meeting) openCamera(o peer.EndpointOptions) {
	m.t.Helper()
	o.Net, o.Certificate = m.camera, certificate(m.t)
	o.Addr = netip.AddrPortFrom(netip.IPv4Unspecified(), mediaPort).String()
	var err error
	m.endpoint, err = peer.Listen(o)
	m.check(err)
	m.hub = camera.NewHub(camera.HubOptions{})
	m.hub.SetTracks([]codecs.Track{{Codec: codecs.H264, ClockRate: 90000}})
	m.hub.WriteUnit(frame(0))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(frameTime)
		defer tick.Stop()
		for i := 1; ; i++ {
			select {
			case <-tick.C:
				m.hub.WriteUnit(frame(i))
			case <-ctx.Done():
				return
			}
		}
	})
	m.stop = func() {
		cancel()
		running.Wait()
		m.hub.Close()
	}
}

// frame is a picture of the camera; each fiftieth is a key frame.
func frame(i int) *codecs.Unit {
	u := &codecs.Unit{PTS: int64(i) * 3600, Arrived: time.Now(), Payload: [][]byte{append([]byte{0x41}, make([]byte, 200)...)}}
	if i%50 == 0 {
		u.Key = true
		u.Payload = [][]byte{{0x67, 0x42, 0xe0, 0x1f, 0x96}, {0x68, 0xce, 0x3c, 0x80}, append([]byte{0x65}, make([]byte, 1000)...)}
	}
	return u
}

// dial lets the viewer connect.
func (m *meeting) dial(ctx context.Context, o peer.DialOptions) error {
	m.t.Helper()
	o.Net, o.Certificate, o.Video = m.viewer, certificate(m.t), true
	o.Signal, o.Restart, o.Reachable, o.OnCandidate = m.offer, m.restart, m.reachable, m.toAgent
	o.Reachable = func(context.Context) error {
		if m.outage.Load() {
			return errNoSignaling
		}
		return nil
	}
	o.OnPacket = func(*peer.RemoteTrack, *rtp.Packet) {
		m.mu.Lock()
		m.arrivals = append(m.arrivals, time.Now())
		m.mu.Unlock()
	}
	o.Started = m.started
	_, err := peer.Dial(ctx, o)
	if err != nil {
		m.started(nil)
	}
	return err
}

func (m *meeting) started(c *peer.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conn = c
}

// errNoSignaling says that the signaling service cannot be reached.
var errNoSignaling = errors.New("no signaling")

// offer is the signaling of a first offer.
func (m *meeting) offer(ctx context.Context, sdp string) (peer.Reply, error) {
	m.mu.Lock()
	m.offered = time.Now()
	m.mu.Unlock()
	elapse(m.signalDelay)
	s, answer, err := m.endpoint.Answer(ctx, peer.Offer{SDP: sdp, Pick: m.pick, OnCandidate: m.toViewer, OnMoved: m.askRestart})
	if err != nil {
		return peer.Reply{}, err
	}
	m.mu.Lock()
	m.session = s
	m.mu.Unlock()
	elapse(m.signalDelay)
	return peer.Reply{SDP: answer}, nil
}

// reachable is for peer.DialOptions.
func (m *meeting) reachable(context.Context) error {
	if m.outage.Load() {
		return errNoSignaling
	}
	return nil
}

// restart is the signaling of a later offer. An agent does not answer one for a
// session that it has ended.
func (m *meeting) restart(ctx context.Context, sdp string) (peer.Reply, error) {
	if err := m.reachable(ctx); err != nil {
		return peer.Reply{}, err
	}
	elapse(m.signalDelay)
	_, s := m.ends()
	answer, err := s.Restart(ctx, sdp)
	if err != nil {
		<-ctx.Done()
		return peer.Reply{}, ctx.Err()
	}
	elapse(m.signalDelay)
	return peer.Reply{SDP: answer}, nil
}

// ends returns both sides of the session.
func (m *meeting) ends() (*peer.Conn, *peer.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conn, m.session
}

// toAgent and toViewer carry late candidates, askRestart the agent's wish.
func (m *meeting) toAgent(candidate string) {
	m.later(func(_ *peer.Conn, s *peer.Session) {
		if s != nil {
			_ = s.AddCandidate(candidate, "0") // the agent would log an error
		}
	})
}

func (m *meeting) toViewer(candidate string) {
	m.later(func(c *peer.Conn, _ *peer.Session) {
		if c != nil {
			_ = c.AddCandidate(candidate, "0")
		}
	})
}

func (m *meeting) askRestart() {
	m.later(func(c *peer.Conn, _ *peer.Session) {
		if c != nil {
			c.AskRestart("the camera's network has changed")
		}
	})
}

// later delivers a signaling message, unless there is an outage when it is sent.
func (m *meeting) later(deliver func(*peer.Conn, *peer.Session)) {
	if !m.outage.Load() {
		time.AfterFunc(m.signalDelay, func() { deliver(m.ends()) })
	}
}

func (m *meeting) pick(_, kind string) peer.Stream {
	if kind != "video" {
		return nil
	}
	return hubStream{m.hub}
}

// first returns how long after the offer the first media packet came.
func (m *meeting) first() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.arrivals) == 0 {
		return 0
	}
	return m.arrivals[0].Sub(m.offered)
}

// sinceOffer returns the time since the viewer sent its offer; ok is false before.
func (m *meeting) sinceOffer() (d time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Since(m.offered), !m.offered.IsZero()
}

// offeredAfter returns how long after a moment the viewer sent its offer.
func (m *meeting) offeredAfter(t time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.offered.Sub(t)
}

// path is "direct" or "relayed".
func (m *meeting) path() string {
	if m.conn.Stats().Direct() {
		return direct
	}
	return relayed
}

// pair names the ends of the path in use, as the viewer sees them.
func (m *meeting) pair() string {
	s := m.conn.Stats()
	return s.Local + " " + s.Remote
}

// plays reports whether media came within the last moment.
func (m *meeting) plays() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.arrivals) > 0 && time.Since(m.arrivals[len(m.arrivals)-1]) < 10*frameTime
}

// gap returns the longest time without media since a moment.
func (m *meeting) gap(since time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	longest, last := time.Duration(0), since
	for _, a := range append(slices.Clone(m.arrivals), time.Now()) {
		if a.After(since) {
			longest = max(longest, a.Sub(last))
			last = a
		}
	}
	return longest
}

// playsSince reports whether media has come since a moment.
func (m *meeting) playsSince(t time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.arrivals) > 0 && m.arrivals[len(m.arrivals)-1].After(t)
}

// close ends everything. The wire is cut first: where the ends of both sides of
// a session cross, pion waits for a timer under a lock, and virtual time stands
// still while anyone waits for a lock.
func (m *meeting) close() {
	m.t.Helper()
	m.world.Cut()
	m.closeEnds()
	m.stop()
	m.check(m.endpoint.Close())
}

// closeEnds closes both sides of the session.
func (m *meeting) closeEnds() {
	m.t.Helper()
	conn, session := m.ends()
	if conn != nil {
		m.check(conn.Close())
	}
	if session != nil {
		m.check(session.Close())
	}
}

// elapse lets virtual time pass.
func elapse(d time.Duration) { <-time.After(d) }

// hubStream is a camera with one rendition.
type hubStream struct{ hub *camera.Hub }

func (s hubStream) Renditions() int                { return 1 }
func (s hubStream) Track(int) (codecs.Track, bool) { return s.hub.Video() }
func (s hubStream) Open(int) peer.Feed             { return s.hub.SubscribeVideo() }
func (s hubStream) RequestKeyFrame(int)            {}

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
