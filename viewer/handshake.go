package viewer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

const (
	// maxQueuedMessages bounds the messages that wait to be looked at. More are
	// dropped: a server can send any number, and only signed ones count.
	maxQueuedMessages = 32
	// maxEarly bounds the candidates that come before there is a connection.
	maxEarly = 64
)

// RejectedError says that the publisher refused, and why.
type RejectedError struct {
	Code   signaling.RejectCode
	Reason string // a sentence for a person
}

// Error implements error.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("the publisher refused (%s): %s", e.Code, e.Reason)
}

// handshake carries a session's signaling messages.
type handshake struct {
	// Constant once the client runs.
	o         Options
	signal    *client.Client
	messages  chan string            // from the signaling client
	first     chan signaling.Message // capacity 1: an Answer or a Reject
	restarted chan *signaling.Restarted
	online    chan struct{} // closed when the server knows this viewer

	looked chan statement // capacity 1: what lookUp found

	onlineOnce sync.Once
	asked      bool // what lookUp found was used; Dial's goroutine's own

	mu      sync.Mutex
	session *signaling.ViewerSession
	mids    map[string]string // camera by mid
	reason  error             // why the server cannot be reached
	ignored error             // why the last message was ignored
	conn    *peer.Conn        // nil before there is one
	ice     []signaling.ICEServer
}

func newHandshake(o Options) *handshake {
	return &handshake{
		o: o, messages: make(chan string, maxQueuedMessages), online: make(chan struct{}),
		first: make(chan signaling.Message, 1), restarted: make(chan *signaling.Restarted, 1),
		looked: make(chan statement, 1),
	}
}

// message takes what the signaling server delivers.
func (h *handshake) message(payload string) {
	select {
	case h.messages <- payload:
	default:
		h.o.Logger.Debug("signaling message dropped: too many wait")
	}
}

// state remembers why the server cannot be reached, for Dial's error.
func (h *handshake) state(s client.State, err error) {
	if s == client.StateOnline {
		h.onlineOnce.Do(func() { close(h.online) })
	}
	if err == nil && s != client.StateOnline {
		return // another attempt: the reason of the last one still holds
	}
	h.mu.Lock()
	h.reason = err
	h.mu.Unlock()
}

// awaitServer waits until the server knows this viewer.
func (h *handshake) awaitServer(ctx context.Context) error {
	select {
	case <-h.online:
		return nil
	case <-ctx.Done():
		return h.explain(ctx.Err())
	}
}

// started is peer.DialOptions.Started.
func (h *handshake) started(c *peer.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conn = c
}

// signalOffer is peer.DialOptions.Signal.
func (h *handshake) signalOffer(ctx context.Context, sdp string) (peer.Reply, error) {
	media, err := h.media(sdp)
	if err != nil {
		return peer.Reply{}, err
	}
	answer, rejected, err := h.attempt(ctx, sdp, media, 0)
	if err != nil {
		return peer.Reply{}, err
	}
	if rejected != nil && rejected.Code == signaling.RejectExpired {
		// One of the two clocks is wrong. The publisher's own says what it
		// takes for fresh; what protects it is the nonce it has not seen yet.
		answer, rejected, err = h.attempt(ctx, sdp, media, rejected.ClockOffset(time.Now()))
		if err != nil {
			return peer.Reply{}, err
		}
	}
	if rejected != nil {
		return peer.Reply{}, &RejectedError{Code: rejected.Code, Reason: rejected.Reason}
	}
	return h.reply(answer.SDP, answer.ICE), nil
}

// reply keeps the servers that the publisher names.
func (h *handshake) reply(sdp string, ice []signaling.ICEServer) peer.Reply {
	h.mu.Lock()
	h.ice = ice
	h.mu.Unlock()
	return peer.Reply{SDP: sdp, ICE: iceServers(ice)}
}

func iceServers(in []signaling.ICEServer) (out []peer.ICEServer) {
	for _, s := range in {
		out = append(out, peer.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	return out
}

// restart is peer.DialOptions.Restart.
func (h *handshake) restart(ctx context.Context, sdp string) (peer.Reply, error) {
	session := h.current()
	if session == nil {
		return peer.Reply{}, errors.New("there is no session to restart")
	}
	select {
	case <-h.restarted: // of an attempt that was given up
	default:
	}
	payload, err := session.Restart(time.Now(), sdp)
	if err != nil {
		return peer.Reply{}, err
	}
	if err := h.signal.Send(ctx, h.o.Peer, payload); err != nil {
		return peer.Reply{}, h.explain(err)
	}
	select {
	case m := <-h.restarted:
		return h.reply(m.SDP, m.ICE), nil
	case <-ctx.Done():
		return peer.Reply{}, fmt.Errorf("wait for the publisher's answer: %w", ctx.Err())
	}
}

// reachable is peer.DialOptions.Reachable.
func (h *handshake) reachable(ctx context.Context) error {
	h.signal.Probe() // a connection that died with the path would keep the question
	_, err := h.signal.Lookup(ctx, h.o.Peer)
	return err
}

// candidate is peer.DialOptions.OnCandidate.
func (h *handshake) candidate(ctx context.Context, line string) {
	session := h.current()
	if session == nil {
		return
	}
	payload, err := session.Candidate(time.Now(), line, "0") // all sections are one bundle
	if err == nil {
		err = h.signal.Send(ctx, h.o.Peer, payload)
	}
	if err != nil {
		h.o.Logger.Debug("a candidate was not passed on", "error", err)
	}
}

func (h *handshake) current() *signaling.ViewerSession {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.session
}

// media assigns the cameras to the sections of the offer.
func (h *handshake) media(sdp string) ([]signaling.Media, error) {
	sections, err := peer.Sections(sdp)
	if err != nil {
		return nil, err
	}
	return h.assign(sections), nil
}

// assign gives every section its camera, and remembers it.
func (h *handshake) assign(sections []peer.Section) []signaling.Media {
	each := max(1, len(sections)/len(h.o.Cameras))
	mids := make(map[string]string, len(sections))
	media := make([]signaling.Media, 0, len(sections))
	for i, s := range sections {
		camera := h.o.Cameras[min(i/each, len(h.o.Cameras)-1)]
		mids[s.MID] = camera
		media = append(media, signaling.Media{MID: s.MID, Camera: camera})
	}
	h.mu.Lock()
	h.mids = mids
	h.mu.Unlock()
	return media
}

// attempt sends one offer and waits for what the publisher says to it.
func (h *handshake) attempt(ctx context.Context, sdp string, media []signaling.Media, offset time.Duration) (*signaling.Answer, *signaling.Reject, error) {
	key, err := h.publisherKey(ctx)
	if err != nil {
		return nil, nil, err
	}
	session, err := signaling.NewViewerSession(h.o.Identity, h.o.Peer, key)
	if err != nil {
		return nil, nil, err
	}
	offer, err := session.Offer(time.Now().Add(offset), signaling.Request{SDP: sdp, Media: media, Claim: h.o.claim, Grants: h.o.Grants})
	if err != nil {
		return nil, nil, err
	}
	h.mu.Lock()
	h.session = session
	h.mu.Unlock()
	if err := h.signal.Send(ctx, h.o.Peer, offer); err != nil {
		return nil, nil, h.explain(err)
	}
	select {
	case m := <-h.first:
		switch m := m.(type) {
		case *signaling.Answer:
			return m, nil, nil
		case *signaling.Reject:
			return nil, m, nil
		}
		return nil, nil, errors.New("the publisher's answer is of no kind that is known")
	case <-ctx.Done():
		h.mu.Lock()
		ignored := h.ignored
		h.mu.Unlock()
		if ignored != nil {
			return nil, nil, fmt.Errorf("wait for the publisher's answer: %w; something else came and was ignored: %w", ctx.Err(), ignored)
		}
		return nil, nil, fmt.Errorf("wait for the publisher's answer: %w", ctx.Err())
	}
}

// statement is what the server says about the publisher's key.
type statement struct {
	text string
	err  error
}

// lookUp asks for the publisher's key, once, while the client still connects.
func (h *handshake) lookUp(ctx context.Context) {
	text, err := h.signal.Lookup(ctx, h.o.Peer)
	h.looked <- statement{text, err}
}

// publisherKey returns what to seal the offer with. A second attempt asks anew.
func (h *handshake) publisherKey(ctx context.Context) (identity.AgreementKey, error) {
	var text string
	var err error
	if h.asked {
		text, err = h.signal.Lookup(ctx, h.o.Peer)
	} else {
		h.asked = true
		select {
		case first := <-h.looked:
			text, err = first.text, first.err
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		return "", h.explain(err)
	}
	key, err := identity.OpenKeyStatement(text, h.o.Peer)
	if err != nil {
		return "", fmt.Errorf("the signaling server gave a key that is not the publisher's; do not use this server: %w", err)
	}
	return key, nil
}

// explain adds why the server is not reached to an error of Send.
func (h *handshake) explain(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reason != nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("reach the signaling server: %w (%w)", h.reason, err)
	}
	return err
}

// run looks at the messages until ctx ends.
func (h *handshake) run(ctx context.Context) {
	var early []*signaling.Candidate
	for {
		select {
		case payload := <-h.messages:
			early = h.take(payload, early)
		case <-ctx.Done():
			return
		}
	}
}

// take opens a message, verifies that it belongs to the session and acts on it.
// early are the candidates that no connection was there for.
func (h *handshake) take(payload string, early []*signaling.Candidate) []*signaling.Candidate {
	h.mu.Lock()
	session, conn := h.session, h.conn
	h.mu.Unlock()
	if session == nil {
		return early
	}
	signed, err := signaling.Open(h.o.Identity, payload)
	var m signaling.Message
	if err == nil {
		m, err = session.Receive(signed)
	}
	if err != nil {
		h.mu.Lock()
		h.ignored = err
		h.mu.Unlock()
		h.o.Logger.Debug("signaling message ignored", "error", err)
		return early
	}
	switch m := m.(type) {
	case *signaling.Answer, *signaling.Reject:
		h.first <- m // there is one of a session, and whoever offers waits for it
	case *signaling.Restarted:
		select {
		case h.restarted <- m:
		default: // nobody waits any more
		}
	case *signaling.RestartRequest:
		if conn != nil {
			conn.AskRestart(m.Reason)
		}
	case *signaling.Candidate:
		if early = append(early, m); conn == nil {
			return early[max(0, len(early)-maxEarly):]
		}
		for _, c := range early {
			if err := conn.AddCandidate(c.Candidate, c.MID); err != nil {
				h.o.Logger.Debug("candidate ignored", "error", err)
			}
		}
		return nil
	case *signaling.Bye:
		if conn != nil {
			conn.EndedByPeer(m.Reason)
		}
	}
	return early
}

// bye returns the session's last message; false if there is no session to end.
func (h *handshake) bye(reason string) (string, bool) {
	h.mu.Lock()
	session := h.session
	h.mu.Unlock()
	if session == nil {
		return "", false
	}
	payload, err := session.Bye(time.Now(), reason)
	return payload, err == nil
}

// transcript names the handshake once it is complete.
func (h *handshake) transcript() signaling.Token {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.session == nil {
		return ""
	}
	return h.session.Transcript()
}

// camera returns the camera that a section carries.
func (h *handshake) camera(mid string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mids[mid]
}

func isClosedByUs(err error) bool { return errors.Is(err, net.ErrClosed) }
