package agent

import (
	"context"
	"crypto/sha256"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/internal/spool"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/signaling"
)

// publisher answers viewers: a *peer.Endpoint.
type publisher interface {
	Answer(ctx context.Context, o peer.Offer) (mediaSession, string, error)
	AnswerDirect(ctx context.Context, call peer.DirectCall, fingerprint [32]byte) (mediaSession, error)
	Network() peer.Network
	Fingerprint() string
	SetSTUN(servers []string)
	SetRelays(servers []peer.ICEServer)
}

// mediaSession is what the agent uses of a *peer.Session.
type mediaSession interface {
	Renegotiate(ctx context.Context, o peer.Offer) (string, error)
	Restart(ctx context.Context, offer string) (string, error)
	Pairs() []peer.PairStats
	AddCandidate(candidate, mid string) error
	Listener() net.Listener
	Connected() <-chan struct{}
	Done() <-chan struct{}
	Err() error
	Stats() peer.Stats
	Close() error
}

// endpoint makes a publisher of a *peer.Endpoint.
type endpoint struct{ *peer.Endpoint }

// Answer implements publisher.
func (e endpoint) Answer(ctx context.Context, o peer.Offer) (mediaSession, string, error) {
	s, sdp, err := e.Endpoint.Answer(ctx, o)
	if err != nil {
		return nil, "", err
	}
	return s, sdp, nil
}

// AnswerDirect implements publisher.
func (e endpoint) AnswerDirect(ctx context.Context, call peer.DirectCall, fingerprint [32]byte) (mediaSession, error) {
	s, err := e.Endpoint.AnswerDirect(ctx, call, fingerprint)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// origin says by which way a session was introduced.
type origin string

const (
	viaSignaling origin = "signaling"
	viaWHEP      origin = "whep"
	viaClaim     origin = "claim"  // through signaling, to show a secret
	viaDirect    origin = "direct" // dialled without signaling
)

// sessionKey names a session. Two viewers may choose the same id.
type sessionKey struct {
	viewer identity.PeerID // empty for WHEP
	id     signaling.Token
}

// session is one viewer's connection to this agent.
type session struct {
	// Constant after construction.
	key      sessionKey
	via      origin
	place    place
	media    mediaSession
	started  time.Time
	restarts *rate.Limiter // of ICE
	relays   *rate.Limiter // credentials for relays, beside the first
	limit    *limiter      // requests under way over its data channels
	events   *limiter      // event streams among them

	intro *signaling.PublisherSession // nil but for signaling
	later chan func()                 // what came by signaling, in order; nil without
	held  heldCandidates              // what the viewer is told after the answer
	whep  *whepSession                // nil for signaling

	pace      spool.Pace                      // of fragments over its data channels
	principal atomic.Pointer[trust.Principal] // what it may do; nil for a claim
	ending    atomic.Bool                     // it is being ended by the agent
}

// holder is whose session it is: the viewer, or who made the player's token.
func (s *session) holder() identity.PeerID {
	if p := s.principal.Load(); p != nil && s.key.viewer == "" {
		return p.Peer
	}
	return s.key.viewer
}

// purpose says in the access log what the session is.
func (s *session) purpose() string {
	if s.whep != nil {
		return "player of " + s.whep.camera
	}
	return "viewer"
}

// address is where the viewer is, as far as can be told.
func (s *session) address() string {
	st := s.media.Stats()
	if st.Path == "relayed" && st.Remote != "" {
		return st.Remote + " (relayed)"
	}
	return st.Remote
}

// whepSession is what WHEP has to remember of a session. Constant.
type whepSession struct {
	camera string
	etag   string
	// ice are the ICE credentials that the offer had, as "ufrag:pwd".
	ice map[string]bool
	// token is the hash of the token that opened it; zero where none was needed.
	token [sha256.Size]byte
}
