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

// maxQueuedMessages bounds the messages that wait for the handshake. More are
// dropped: a server can send any number, and only signed ones count.
const maxQueuedMessages = 32

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
	o        Options
	signal   *client.Client
	messages chan string // from the signaling client

	mu      sync.Mutex
	session *signaling.ViewerSession
	mids    map[string]string // camera by mid
	reason  error             // why the server cannot be reached
}

func newHandshake(o Options) *handshake {
	return &handshake{o: o, messages: make(chan string, maxQueuedMessages)}
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
	if err == nil && s != client.StateOnline {
		return // another attempt: the reason of the last one still holds
	}
	h.mu.Lock()
	h.reason = err
	h.mu.Unlock()
}

// signalOffer is peer.DialOptions.Signal.
func (h *handshake) signalOffer(ctx context.Context, sdp string) (string, error) {
	media, err := h.media(sdp)
	if err != nil {
		return "", err
	}
	answer, rejected, err := h.attempt(ctx, sdp, media, 0)
	if err != nil {
		return "", err
	}
	if rejected != nil && rejected.Code == signaling.RejectExpired {
		// One of the two clocks is wrong. The publisher's own says what it
		// takes for fresh; what protects it is the nonce it has not seen yet.
		answer, rejected, err = h.attempt(ctx, sdp, media, rejected.ClockOffset(time.Now()))
		if err != nil {
			return "", err
		}
	}
	if rejected != nil {
		return "", &RejectedError{Code: rejected.Code, Reason: rejected.Reason}
	}
	return answer.SDP, nil
}

// media assigns the cameras to the sections of the offer.
func (h *handshake) media(sdp string) ([]signaling.Media, error) {
	sections, err := peer.Sections(sdp)
	if err != nil {
		return nil, err
	}
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
	return media, nil
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
	var ignored error // why the last message was
	for {
		select {
		case payload := <-h.messages:
			m, err := h.receive(session, payload)
			if err != nil {
				h.o.Logger.Debug("signaling message ignored", "error", err)
				ignored = fmt.Errorf("; something else came and was ignored: %w", err)
				continue
			}
			switch m := m.(type) {
			case *signaling.Answer:
				return m, nil, nil
			case *signaling.Reject:
				return nil, m, nil
			}
		case <-ctx.Done():
			if ignored != nil {
				return nil, nil, fmt.Errorf("wait for the publisher's answer: %w%w", ctx.Err(), ignored)
			}
			return nil, nil, fmt.Errorf("wait for the publisher's answer: %w", ctx.Err())
		}
	}
}

// publisherKey asks what to seal the offer with. It is asked for as soon as the
// client dials, see Dial, and anew for every attempt.
func (h *handshake) publisherKey(ctx context.Context) (identity.AgreementKey, error) {
	statement, err := h.signal.Lookup(ctx, h.o.Peer)
	if err != nil {
		return "", h.explain(err)
	}
	key, err := identity.OpenKeyStatement(statement, h.o.Peer)
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

// receive opens a message and verifies that it belongs to the session.
func (h *handshake) receive(session *signaling.ViewerSession, payload string) (signaling.Message, error) {
	signed, err := signaling.Open(h.o.Identity, payload)
	if err != nil {
		return nil, err
	}
	return session.Receive(signed)
}

// late takes a message that comes after the answer.
func (h *handshake) late(payload string, conn *peer.Conn) {
	h.mu.Lock()
	session := h.session
	h.mu.Unlock()
	m, err := h.receive(session, payload)
	if err != nil {
		h.o.Logger.Debug("signaling message ignored", "error", err)
		return
	}
	switch m := m.(type) {
	case *signaling.Candidate:
		if err := conn.AddCandidate(m.Candidate, m.MID); err != nil {
			h.o.Logger.Debug("candidate ignored", "error", err)
		}
	case *signaling.Bye:
		conn.EndedByPeer(m.Reason)
	}
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
