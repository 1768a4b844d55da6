package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"slices"
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
	queue             *vnet.TBFQueue // in front of the viewer, unlimited at first
	nic               *vnet.Queue
}

func (n *testNet) close() {
	_ = n.wan.Stop()
	_ = n.nic.Close()
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
		nic := vnet.NIC(*p)
		if i == 1 {
			n.queue = vnet.NewTBFQueue(1_000_000_000, 1600, 1<<30)
			if n.nic, err = vnet.NewQueue(*p, n.queue); err != nil {
				t.Fatal(err)
			}
			nic = n.nic
		}
		if err = wan.AddNet(nic); err != nil {
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
	return v.connectPick(t, e, func(string, string) Stream { return st })
}

func (v *testViewer) connectPick(t *testing.T, e *Endpoint, pick func(mid, kind string) Stream) *Session {
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
	s, answer, err := e.Answer(t.Context(), Offer{SDP: v.pc.LocalDescription().SDP, Pick: pick})
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

// assembler finds whole frames, whatever order their packets come in.
type assembler struct {
	frames map[uint32][]*rtp.Packet // by timestamp
	out    []arrival
}

func (a *assembler) take(p *rtp.Packet) {
	if a.frames == nil {
		a.frames = map[uint32][]*rtp.Packet{}
	}
	f := a.frames[p.Timestamp]
	if len(f) == 1 && f[0] == nil || slices.ContainsFunc(f, func(q *rtp.Packet) bool { return q.SequenceNumber == p.SequenceNumber }) {
		return // whole already, or a duplicate
	}
	f = append(f, p)
	slices.SortFunc(f, func(x, y *rtp.Packet) int { return int(int16(x.SequenceNumber - y.SequenceNumber)) })
	a.frames[p.Timestamp] = f
	first, last := f[0], f[len(f)-1]
	if !last.Marker || int(last.SequenceNumber-first.SequenceNumber) != len(f)-1 {
		return
	}
	nal := first.Payload
	if nal[0]&0x1f == 28 { // FU-A
		if nal = nal[1:]; nal[0]&0x80 == 0 {
			return // its first packet is missing
		}
	}
	number, rendition := readStampNAL(nal)
	a.out = append(a.out, arrival{number, rendition, time.Now(), p.Timestamp})
	a.frames[p.Timestamp] = []*rtp.Packet{nil}
}
