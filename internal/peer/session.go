package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/internal/nat"
)

const (
	// maxSections is how many media sections an offer may have, and a session
	// in its life: 16 cameras with sound, and the data channels.
	maxSections = 33
	// maxCandidates is how many candidates a viewer may send after its offer:
	// each is looked at by ICE again and again, and costs packets to wherever it
	// points.
	maxCandidates = 256
)

// ErrBadOffer is in the tree of errors that an offer nobody can answer gives.
var ErrBadOffer = errors.New("the offer cannot be answered")

var errTooManyCandidates = fmt.Errorf("the viewer sent more than %d candidates", maxCandidates)

// Offer is a viewer's session description and what it asks for.
type Offer struct {
	// SDP is the offer (RFC 8829).
	SDP string
	// Pick returns what a media section is to carry, or nil for nothing: that
	// pauses the section. (A viewer that makes a section inactive instead cannot
	// take it up again.)
	// kind is "video" or "audio". It must return the same Stream for the same
	// camera each time.
	Pick func(mid, kind string) Stream
	// OnCandidate gets the candidates that are known only after the answer, as
	// values of a=candidate; the answer has all without it.
	OnCandidate func(candidate string)
	// OnMoved is called when this machine's addresses have changed, so that the
	// viewer should restart ICE. Only the first offer's counts.
	OnMoved func()

	keep bool // the sections carry what they do
}

// Session is one viewer's connection. It ends by Close, by the viewer closing
// it, or when the path stays dead.
type Session struct {
	// Constant after construction.
	endpoint *Endpoint
	pc       *webrtc.PeerConnection
	ctx      context.Context //nolint:containedctx // the life of the session's goroutines
	cancel   context.CancelFunc
	channels *channelListener
	check    *checker
	path     *publisherPath
	lite     bool // the viewer dialled without signaling
	// own and password are the ICE credentials of a lite session.
	own, password string

	onCandidate func(string)
	onMoved     func()

	cong    *congestion // nil where the viewer gives no transport-wide feedback
	done    chan struct{}
	wg      sync.WaitGroup
	started time.Time

	connected  atomic.Bool
	found      chan struct{} // closed once: the first path was found
	near       atomic.Int32  // a nearness
	rttNanos   atomic.Int64
	lossRatio  atomic.Uint32 // fraction lost of the last receiver report, 1/256
	badRTCP    atomic.Uint64
	trickled   atomic.Int32  // candidates added after the offer
	resolving  atomic.Int32  // names of candidates being looked for
	receptions atomic.Int32  // streams the viewer reported on
	ended      chan struct{} // closed once: the path or the viewer is gone

	negotiation sync.Mutex      // one at a time; held while calling pion
	mids        map[string]bool // guarded by negotiation; true: of no use any more
	fragment    string          // guarded by negotiation; the viewer's ICE fragment

	mu      sync.Mutex
	tracks  map[string]*senderTrack // by mid
	told    map[string]bool         // candidates that the viewer knows, by addressField
	closing bool
	err     error
}

// Answer connects to the viewer that made the offer. The returned description
// has all candidates. The session is the caller's to close.
func (e *Endpoint) Answer(ctx context.Context, o Offer) (*Session, string, error) {
	release, err := e.admit()
	if err != nil {
		return nil, "", err
	}
	if e.port.watcher.State().UDP == nat.UDPBlocked {
		e.port.watcher.Wake() // it was before; the viewer hears if it is not any more
	}
	sections, err := parseOffer(o.SDP)
	if err != nil {
		release()
		return nil, "", err
	}
	s, err := e.newSession(o, connectionOptions{}, release)
	if err != nil {
		return nil, "", err
	}
	answer, err := s.negotiate(ctx, o, sections)
	if err != nil {
		_ = s.Close()
		return nil, "", err
	}
	return s, answer, nil
}

// newSession makes a session that is not negotiated yet. release is called at its
// end, and if there is an error.
func (e *Endpoint) newSession(o Offer, c connectionOptions, release func()) (*Session, error) {
	s := &Session{
		endpoint: e, channels: newChannelListener(0), path: &publisherPath{}, check: &checker{port: e.port},
		done: make(chan struct{}), ended: make(chan struct{}), found: make(chan struct{}), started: time.Now(),
		mids: map[string]bool{}, tracks: map[string]*senderTrack{}, told: map[string]bool{},
		onCandidate: o.OnCandidate, onMoved: o.OnMoved, lite: c.fragment != "", own: c.fragment, password: c.password,
	}
	c.buffers, c.path = s.reception, s.path
	// A viewer of ours waits for a request over the path that it nominated.
	s.path.onSwitch = func(a netip.AddrPort) {
		s.check.learnAddress(a, ice.CandidateTypePeerReflexive)
		s.reach(a)
	}
	s.path.probe = func(a netip.AddrPort) {
		s.check.learnAddress(a, ice.CandidateTypePeerReflexive)
		if !s.check.busy(a) {
			s.reach(a)
		}
	}
	// The password of a viewer that dialled without signaling is not known at first.
	s.path.proved = func(a netip.AddrPort) bool { return s.lite && !s.check.armed() || s.check.answered(a) }
	pc, err := e.newConnection(c)
	if err != nil {
		release()
		return nil, fmt.Errorf("open a connection for a viewer: %w", err)
	}
	s.pc = pc
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if strings.Contains(o.SDP, transportCCURI) || s.lite {
		s.cong = newCongestion(s.started)
	}
	pc.OnDataChannel(s.channels.handle)
	pc.OnConnectionStateChange(s.stateChanged)
	pc.OnICECandidate(s.gatherRelays)
	s.pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(s.pathSelected)
	e.mu.Lock()
	e.live[s] = struct{}{}
	e.mu.Unlock()
	s.wg.Go(s.keepPath)
	go s.run(release)
	return s, nil
}

// initialTarget is what GCC starts from, bit/s.
const initialTarget = 3_000_000

// run owns the session's end.
func (s *Session) run(release func()) {
	select {
	case <-s.ctx.Done():
	case <-s.ended:
	case <-s.channels.Flooded():
		s.fail(errors.New("the viewer opened too many data channels"))
	}
	s.endpoint.mu.Lock()
	delete(s.endpoint.live, s)
	s.endpoint.mu.Unlock()
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.cancel()
	_ = s.pc.GracefulClose()
	s.channels.abort()
	s.wg.Wait()
	if s.cong != nil {
		s.cong.close()
	}
	release()
	close(s.done)
}

func (s *Session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

func (s *Session) stateChanged(st webrtc.PeerConnectionState) {
	switch st {
	case webrtc.PeerConnectionStateConnected:
		s.notePath()
		if s.connected.CompareAndSwap(false, true) {
			close(s.found)
			s.wakeSenders()
		}
	case webrtc.PeerConnectionStateFailed:
		s.fail(errors.New("the path to the viewer stayed dead"))
		s.end()
	case webrtc.PeerConnectionStateClosed:
		s.end()
	default:
	}
}

func (s *Session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
}

// wakeSenders makes the senders look again: what they have could not be sent
// before.
func (s *Session) wakeSenders() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tracks {
		t.setStreamLocked(t.stream)
	}
}

// notePath learns how far the viewer is. Not for pion's handlers of ICE: see
// pathSelected.
func (s *Session) notePath() {
	if pair, err := s.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair(); err == nil {
		s.pathSelected(pair)
	}
}

// pathSelected learns how far the viewer is. pion calls it, and waits for its end while
// it closes the connection with the lock held that the connection's own methods take:
// none of them may be called here.
func (s *Session) pathSelected(pair *webrtc.ICECandidatePair) {
	near := nearnessOf(pair)
	s.near.Store(int32(near))
	if s.cong != nil {
		s.cong.near.Store(int32(near))
	}
}

func (s *Session) ready() bool { return s.connected.Load() }
func (s *Session) local() bool { return nearness(s.near.Load()) != elsewhere }

// rtt returns the round-trip time: by receiver reports, else as the transport
// feedback bounds it, else a guess.
func (s *Session) rtt(st pathState) time.Duration {
	if d := time.Duration(s.rttNanos.Load()); d > 0 {
		return d
	}
	if st.rtt > 0 {
		return st.rtt
	}
	return 50 * time.Millisecond
}

func (s *Session) pathState(now time.Time) pathState {
	if s.cong == nil {
		return pathState{target: maxTarget}
	}
	return s.cong.state(now)
}

// share returns one video sender's part of the path's rate.
func (s *Session) share(target int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, t := range s.tracks {
		if t.video != nil && t.stream != nil {
			n++
		}
	}
	return target / max(n, 1)
}

// receiverReport takes loss and round-trip time (RFC 3550 §6.4.1).
func (s *Session) receiverReport(now time.Time, r rtcp.ReceptionReport) {
	s.lossRatio.Store(uint32(r.FractionLost))
	if r.LastSenderReport == 0 {
		return
	}
	mid := uint32(ntpTime(now) >> 16) // the middle 32 bits
	if d := mid - r.LastSenderReport - r.Delay; d < 1<<20 {
		s.rttNanos.Store(int64(time.Duration(d) * time.Second / 65536))
	}
}

func (s *Session) writeRTCP(p rtcp.Packet) { _ = s.pc.WriteRTCP([]rtcp.Packet{p}) }

// negotiate answers an offer, the first or a later one.
func (s *Session) negotiate(ctx context.Context, o Offer, sections []section) (string, error) {
	s.negotiation.Lock()
	defer s.negotiation.Unlock()
	if s.lite {
		if readICE(o.SDP).fragment != s.fragment && s.fragment != "" {
			return "", fmt.Errorf("%w: a session that was dialled directly cannot restart ICE; dial again", ErrBadOffer)
		}
		if s.fragment != "" {
			if err := s.learnPassword(ctx, readICE(o.SDP)); err != nil {
				return "", err
			}
		}
		o.SDP = asDirect(o.SDP)
	}
	if err := s.assign(o, sections); err != nil {
		return "", err
	}
	if err := s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.SDP}); err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	answer, err := s.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	restart := readICE(o.SDP).fragment != s.fragment
	if restart {
		s.path.restart()
		s.trickled.Store(0)
	}
	gathered := webrtc.GatheringCompletePromise(s.pc)
	if err := s.pc.SetLocalDescription(answer); err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	s.mu.Lock()
	for _, t := range s.tracks {
		t.openLocked()
	}
	s.mu.Unlock()
	if o.OnCandidate == nil { // relays take their time
		select {
		case <-gathered:
		case <-ctx.Done():
			return "", fmt.Errorf("gather candidates: %w", ctx.Err())
		case <-s.ctx.Done():
			return "", net.ErrClosed
		}
	}
	s.fragment = readICE(o.SDP).fragment
	described := s.describe(o.SDP) //nolint:contextcheck // what it starts lasts as long as the session
	if restart && !s.lite {
		for _, a := range s.check.addresses() {
			s.reach(a) // until the viewer has the answer, and its NAT lets them in
		}
	}
	return described, nil
}

// describe returns the answer that is in force, with the port's candidates.
func (s *Session) describe(offer string) string {
	lines := s.endpoint.port.lines()
	answer := withCandidates(s.pc.LocalDescription().SDP, lines)
	s.mu.Lock()
	for _, l := range lines {
		s.told[addressField(l)] = true
	}
	s.mu.Unlock()
	s.described(offer, answer)
	return answer
}

// assign makes a sender for every new section that can receive, and tells the
// others what they carry from now on. A section that is to carry nothing yet
// has a sender too, a silent one: pion gives senders to sections in the order of
// both, so without it the next section's stream would come in its place.
func (s *Session) assign(o Offer, sections []section) error {
	for _, sec := range sections {
		useless, known := s.mids[sec.mid]
		if o.keep {
			if !known {
				return fmt.Errorf("%w: a restart of ICE has a new section, %q", ErrBadOffer, sec.mid)
			}
			continue
		}
		if !known && len(s.mids) >= maxSections {
			return fmt.Errorf("%w: the session has had %d media sections already; connect anew", ErrBadOffer, len(s.mids))
		}
		useless = useless || !sec.receives // pion never sends in it again
		s.mids[sec.mid] = useless
		var st Stream
		if sec.receives && o.Pick != nil {
			st = o.Pick(sec.mid, sec.kind)
		}
		s.mu.Lock()
		t := s.tracks[sec.mid]
		if t != nil {
			t.setStreamLocked(st)
		}
		s.mu.Unlock()
		if t != nil || useless {
			continue
		}
		t = &senderTrack{session: s, id: sec.kind + "-" + sec.mid, camera: "camera-" + sec.mid, stream: st, kind: webrtc.NewRTPCodecType(sec.kind)}
		if _, err := s.pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
			return fmt.Errorf("add a %s sender: %w", sec.kind, err)
		}
		s.mu.Lock()
		s.tracks[sec.mid] = t
		s.mu.Unlock()
	}
	return nil
}

// Renegotiate answers a later offer of the same viewer: cameras added, changed
// or dropped. An offer that cannot be read changes nothing; one that fails
// later ends the session, for nobody knows then which section carries what.
func (s *Session) Renegotiate(ctx context.Context, o Offer) (answer string, err error) {
	sections, err := parseOffer(o.SDP)
	if err != nil {
		return "", err
	}
	o.OnCandidate = s.onCandidate
	if answer, err = s.negotiate(ctx, o, sections); err != nil {
		s.fail(fmt.Errorf("a later offer failed: %w", err))
		s.end()
	}
	return answer, err
}

// Restart answers an offer that changes nothing but the viewer's ICE parameters:
// streams and connections go on over the new path. Errors as Renegotiate's.
func (s *Session) Restart(ctx context.Context, offer string) (answer string, err error) {
	sections, err := parseOffer(offer)
	if err != nil {
		return "", err
	}
	if answer, err = s.negotiate(ctx, Offer{SDP: offer, OnCandidate: s.onCandidate, keep: true}, sections); err != nil {
		s.fail(fmt.Errorf("a restart of ICE failed: %w", err))
		s.end()
	}
	return answer, err
}

// Listener returns the listener of the connections that the viewer opens as
// data channels labelled "http". It is closed with the session.
func (s *Session) Listener() net.Listener { return s.channels }

// Connected is closed once the first path was found and the viewer has proved
// that it has the key of its offer's certificate: DTLS is through.
func (s *Session) Connected() <-chan struct{} { return s.found }

// Done is closed when the session has ended and all its goroutines with it.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the session ended: nil while it lives and after a close by
// either side.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the session and waits for its goroutines. Idempotent.
func (s *Session) Close() error {
	s.cancel()
	<-s.done
	return nil
}
