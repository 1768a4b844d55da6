package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// ErrEnded says that the other side ended the session.
var ErrEnded = errors.New("the other side ended the session")

// errPathLost says that packets stopped coming for good.
var errPathLost = errors.New("the path between the two peers was lost: dial again")

// Conn is the viewer's side of a session: streams and connections. Dial makes
// one. Safe for concurrent use.
type Conn struct {
	// Constant after construction.
	o     DialOptions
	pc    *webrtc.PeerConnection
	port  *port
	path  *viewerPath
	check *checker
	log   *slog.Logger
	set   *channelSet
	up    chan struct{} // closed when media and data may flow
	stop  chan struct{} // closed when the session is to end
	done  chan struct{} // closed when it has ended, with all goroutines

	ctx    context.Context //nolint:containedctx // the life of the session's checks
	cancel context.CancelFunc

	ours         atomic.Bool   // the publisher chooses paths as we do
	moved        chan struct{} // capacity 1: this machine's addresses changed
	restartAsked chan string   // capacity 1
	restarting   sync.Mutex    // one negotiation at a time

	upOnce, stopOnce sync.Once

	rttNanos atomic.Int64
	answered atomic.Bool  // an answer was taken: candidates may follow
	trickled atomic.Int32 // candidates of the other side that came later

	relays []webrtc.ICEServer // guarded by restarting after the first answer

	mu       sync.Mutex
	err      error // why the session ended
	tracks   []*RemoteTrack
	endRound context.CancelFunc // ends the round of checks that runs; nil before the first
	late     []string           // candidates found before there was an answer
	told     map[string]bool    // candidates that the publisher knows, by addressField
	ended    bool               // no more goroutines may start
	wg       sync.WaitGroup     // goroutines of streams and pending dials
}

func newConn(pc *webrtc.PeerConnection, p *port, path *viewerPath, o DialOptions) *Conn {
	c := &Conn{
		o: o, pc: pc, port: p, path: path, log: o.Logger,
		check:        &checker{port: p, controlling: true},
		set:          &channelSet{limit: defaultChannelLimit, window: dialWindow},
		up:           make(chan struct{}),
		stop:         make(chan struct{}),
		done:         make(chan struct{}),
		moved:        make(chan struct{}, 1),
		restartAsked: make(chan string, 1),
		told:         make(map[string]bool),
	}
	if o.Restart != nil && !o.ForceRelay {
		// pion would wait for each permission at a relay before it checks the next
		// direct path.
		c.relays = pionServers(o.ICEServers)
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	pc.OnConnectionStateChange(c.stateChanged)
	pc.OnTrack(c.trackArrived)
	pc.OnICECandidate(c.gathered)
	go c.watch()
	return c
}

// watch ends everything once the session is to end.
func (c *Conn) watch() {
	defer close(c.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if isClosed(c.up) { // pion's transport is not ours to read before
				c.measure()
			}
			continue
		case <-c.stop:
		}
		break
	}
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.cancel()
	c.set.abort()
	if err := c.pc.GracefulClose(); err != nil {
		c.log.Debug("peer connection closed with an error", "error", err)
	}
	c.wg.Wait()
	if err := c.port.close(); err != nil {
		c.log.Debug("the UDP port closed with an error", "error", err)
	}
}

// start runs f on a goroutine that Close waits for, unless the session has
// ended.
func (c *Conn) start(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.wg.Go(f)
	return true
}

// end lets the session end; the first reason counts.
func (c *Conn) end(err error) {
	c.stopOnce.Do(func() {
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		close(c.stop)
	})
}

func (c *Conn) ending() bool { return isClosed(c.stop) }

func (c *Conn) stateChanged(s webrtc.PeerConnectionState) {
	c.log.Debug("session state", "state", s.String())
	switch s {
	case webrtc.PeerConnectionStateConnected:
		c.upOnce.Do(func() { close(c.up) })
	case webrtc.PeerConnectionStateFailed:
		if isClosed(c.up) {
			c.end(errPathLost)
		} else {
			c.end(ErrNoRoute)
		}
	case webrtc.PeerConnectionStateClosed:
		c.end(ErrEnded)
	default:
	}
}

func (c *Conn) trackArrived(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	mid := ""
	for _, t := range c.pc.GetTransceivers() {
		if t.Receiver() == receiver {
			mid = t.Mid()
		}
	}
	t := newRemoteTrack(c, track, receiver, mid)
	if !c.start(t.run) {
		return
	}
	c.start(t.readRTCP)
	c.mu.Lock()
	c.tracks = append(c.tracks, t)
	c.mu.Unlock()
	if c.o.OnTrack != nil {
		c.start(func() { c.o.OnTrack(t) })
	}
}

// Tracks returns the streams that have arrived so far.
func (c *Conn) Tracks() []*RemoteTrack {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*RemoteTrack(nil), c.tracks...)
}

// DialContext opens a connection to the publisher's HTTP server, for
// http.Transport. network and addr are ignored: a session has one server.
func (c *Conn) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	type result struct {
		conn *channelConn
		err  error
	}
	results := make(chan result, 1)
	abandoned := make(chan struct{})
	// Opening a channel can block for as long as the path is cut, and pion
	// knows no context there.
	started := c.start(func() {
		conn, err := c.openChannel()
		results <- result{conn, err}
		if err == nil && isClosed(abandoned) {
			_ = conn.Close()
		}
	})
	if !started {
		return nil, &net.OpError{Op: "dial", Net: "webrtc", Err: net.ErrClosed}
	}
	select {
	case r := <-results:
		if r.err != nil {
			return nil, &net.OpError{Op: "dial", Net: "webrtc", Err: r.err}
		}
		return r.conn, nil
	case <-ctx.Done():
		close(abandoned)
		select {
		case r := <-results:
			if r.err == nil {
				_ = r.conn.Close()
			}
		default:
		}
		return nil, &net.OpError{Op: "dial", Net: "webrtc", Err: ctx.Err()}
	}
}

// openChannel opens one data channel as a connection.
func (c *Conn) openChannel() (*channelConn, error) {
	if c.set.size() >= c.set.limit {
		return nil, errTooManyChannels
	}
	protocol := channelProtocol
	dc, err := c.pc.CreateDataChannel(channelLabel, &webrtc.DataChannelInit{Protocol: &protocol})
	if err != nil {
		return nil, fmt.Errorf("open a data channel: %w", err)
	}
	opened := make(chan struct{})
	dc.OnOpen(func() { close(opened) })
	select {
	case <-opened:
		return c.set.open(dc)
	case <-c.stop:
		return nil, net.ErrClosed
	}
}

// writeRTCP sends feedback; what cannot be sent now will not be missed.
func (c *Conn) writeRTCP(p rtcp.Packet) {
	if err := c.pc.WriteRTCP([]rtcp.Packet{p}); err != nil && !c.ending() {
		c.log.Debug("RTCP not sent", "error", err)
	}
}

// rtt returns the round trip time last measured.
func (c *Conn) rtt() time.Duration { return time.Duration(c.rttNanos.Load()) }

// measure takes the round trip time of the path in use.
func (c *Conn) measure() {
	ice := c.pc.SCTP().Transport().ICETransport()
	if s, ok := ice.GetSelectedCandidatePairStats(); ok && s.CurrentRoundTripTime > 0 {
		c.rttNanos.Store(int64(s.CurrentRoundTripTime * float64(time.Second)))
	}
}

// Done returns a channel that is closed once the session has ended and all its
// goroutines have.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err says why the session ended: ErrEnded if the other side did, net.ErrClosed
// after Close; nil while it goes on.
func (c *Conn) Err() error {
	if !c.ending() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the session and waits for its goroutines, callbacks included.
// Idempotent. It must not be called from a callback.
func (c *Conn) Close() error {
	c.end(net.ErrClosed)
	<-c.done
	return nil
}

// EndedByPeer ends the session because the other side said that it is over, by
// another way than the session itself. It does not wait.
func (c *Conn) EndedByPeer(reason string) {
	if reason == "" {
		c.end(ErrEnded)
		return
	}
	c.end(fmt.Errorf("%w: %q", ErrEnded, reason))
}
