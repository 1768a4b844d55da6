package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
)

func testCertificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// testStream is a camera of synthetic frames: one list per rendition.
type testStream struct {
	mu         sync.Mutex
	renditions []*testRendition
	requests   int
}

type testRendition struct {
	frames []*rtppack.Frame
	key    int
	feeds  map[*testFeed]struct{}
}

type testFeed struct {
	s    *testStream
	r    *testRendition
	pos  int
	wake chan struct{}
	done bool
}

func newTestStream(renditions int) *testStream {
	s := &testStream{}
	for range renditions {
		s.renditions = append(s.renditions, &testRendition{feeds: map[*testFeed]struct{}{}})
	}
	return s
}

func (s *testStream) Renditions() int { return len(s.renditions) }
func (s *testStream) Track(int) (codecs.Track, bool) {
	return codecs.Track{Codec: codecs.H264, ClockRate: 90000}, true
}

func (s *testStream) RequestKeyFrame(int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
}

func (s *testStream) Open(r int) Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &testFeed{s: s, r: s.renditions[r], pos: s.renditions[r].key, wake: make(chan struct{}, 1)}
	f.r.feeds[f] = struct{}{}
	f.wake <- struct{}{}
	return f
}

func (f *testFeed) Wake() <-chan struct{} { return f.wake }
func (f *testFeed) Next() (*rtppack.Frame, int, bool) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.done || f.pos >= len(f.r.frames) {
		return nil, 0, !f.done
	}
	f.pos++
	return f.r.frames[f.pos-1], 0, true
}

func (f *testFeed) Behind() int {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return len(f.r.frames) - f.pos
}

func (f *testFeed) SkipToFreshKey(maxAge time.Duration) bool {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.r.key < f.pos || f.r.key >= len(f.r.frames) || time.Since(f.r.frames[f.r.key].Unit.Arrived) > maxAge {
		return false
	}
	f.pos = f.r.key
	return true
}

func (f *testFeed) Close() {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.done = true
	delete(f.r.feeds, f)
}

// stampNAL is a slice NAL unit that carries the frame's number and rendition
// so that the viewer can tell which frame arrived.
func stampNAL(number, rendition int, key bool, size int) []byte {
	n := make([]byte, max(size, 12))
	n[0] = 0x61
	if key {
		n[0] = 0x65
	}
	n[1] = 0x88 // first_mb_in_slice 0
	for i := range 4 {
		n[2+i] = byte(number>>(6*(3-i)))&0x3f | 0x40 // no emulation prevention needed
	}
	n[6] = byte(rendition) | 0x40
	for i := 7; i < len(n); i++ {
		n[i] = 0xa5
	}
	return n
}

func readStampNAL(n []byte) (number, rendition int) {
	for i := range 4 {
		number = number<<6 | int(n[2+i]&0x3f)
	}
	return number, int(n[6] & 0x3f)
}

// publish adds a frame to a rendition.
func (s *testStream) publish(rendition int, key bool, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.renditions[rendition]
	number := len(r.frames)
	u := &codecs.Unit{PTS: int64(number) * 3600, Arrived: time.Now(), Key: key, Payload: [][]byte{stampNAL(number, rendition, key, size)}}
	if key {
		r.key = number
	}
	r.frames = append(r.frames, rtppack.NewFrame(codecs.H264, u))
	for f := range r.feeds {
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
}

// testNet is a publisher and a viewer on a virtual network.
type testNet struct {
	wan               *vnet.Router
	publisher, viewer *vnet.Net
}

func newTestNet(t *testing.T, oneWay time.Duration) *testNet {
	t.Helper()
	wan, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "1.2.3.0/24", MinDelay: oneWay, QueueSize: 100000, LoggerFactory: logging.NewDefaultLoggerFactory()})
	if err != nil {
		t.Fatal(err)
	}
	n := &testNet{wan: wan}
	for i, p := range []**vnet.Net{&n.publisher, &n.viewer} {
		if *p, err = vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{[]string{"1.2.3.4", "1.2.3.5"}[i]}}); err != nil {
			t.Fatal(err)
		}
		if err = wan.AddNet(*p); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// testViewer is a plain pion viewer as a browser would be.
type testViewer struct {
	pc     *webrtc.PeerConnection
	tracks chan *webrtc.TrackRemote
}

func newTestViewer(t *testing.T, n *vnet.Net) *testViewer {
	t.Helper()
	se := webrtc.SettingEngine{}
	se.SetNet(n)
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	reg := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(m, reg); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(se), webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(reg)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	v := &testViewer{pc: pc, tracks: make(chan *webrtc.TrackRemote, 4)}
	pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { v.tracks <- tr })
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	return v
}

// connect makes the offer and takes the answer.
func (v *testViewer) connect(t *testing.T, e *Endpoint, st Stream) *Session {
	t.Helper()
	offer, err := v.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(v.pc)
	if err := v.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	s, answer, err := e.Answer(t.Context(), Offer{SDP: v.pc.LocalDescription().SDP, Pick: func(string, string) Stream { return st }})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	return s
}

// arrival is a frame that arrived whole.
type arrival struct {
	number, rendition int
	at                time.Time
	ts                uint32
}

// assembler finds whole frames, with retransmissions taken into account.
type assembler struct {
	held    map[uint16]*rtp.Packet
	next    uint16
	started bool
	frame   []*rtp.Packet
	out     []arrival
	lost    int
	waiting time.Time
}

// take handles a packet; a gap is given up after wait.
func (a *assembler) take(p *rtp.Packet, wait time.Duration) {
	if !a.started {
		a.started, a.next, a.held = true, p.SequenceNumber, map[uint16]*rtp.Packet{}
	}
	if int16(p.SequenceNumber-a.next) < 0 {
		return
	}
	a.held[p.SequenceNumber] = p
	for len(a.held) > 0 {
		q, ok := a.held[a.next]
		if !ok {
			if a.waiting.IsZero() {
				a.waiting = time.Now()
			}
			if time.Since(a.waiting) < wait {
				return
			}
			a.lost++
			a.next++
			a.frame = nil
			continue
		}
		a.waiting = time.Time{}
		delete(a.held, a.next)
		a.next++
		a.packet(q)
	}
}

func (a *assembler) packet(p *rtp.Packet) {
	if len(a.frame) > 0 && a.frame[0].Timestamp != p.Timestamp {
		a.frame = nil
	}
	a.frame = append(a.frame, p)
	if !p.Marker {
		return
	}
	first := a.frame[0].Payload
	switch {
	case len(first) > 10 && first[0]&0x1f == 28 && first[1]&0x80 != 0: // FU-A
		n, r := readStampNAL(first[1:])
		a.out = append(a.out, arrival{n, r, time.Now(), p.Timestamp})
	case len(first) > 10 && (first[0]&0x1f == 1 || first[0]&0x1f == 5):
		n, r := readStampNAL(first)
		a.out = append(a.out, arrival{n, r, time.Now(), p.Timestamp})
	}
	a.frame = nil
}
