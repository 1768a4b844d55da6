package agent

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// publisher answers viewers: a *peer.Endpoint.
type publisher interface {
	Answer(ctx context.Context, o peer.Offer) (mediaSession, string, error)
}

// mediaSession is what the agent uses of a *peer.Session.
type mediaSession interface {
	Renegotiate(ctx context.Context, o peer.Offer) (string, error)
	AddCandidate(candidate, mid string) error
	Listener() net.Listener
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

// origin says by which way a session was introduced.
type origin string

const (
	viaSignaling origin = "signaling"
	viaWHEP      origin = "whep"
)

// sessionKey names a session. Two viewers may choose the same id.
type sessionKey struct {
	viewer identity.PeerID // empty for WHEP
	id     signaling.Token
}

// session is one viewer's connection to this agent.
type session struct {
	// Constant after construction.
	key     sessionKey
	via     origin
	media   mediaSession
	started time.Time
	limit   *limiter // requests under way over its data channels

	intro *signaling.PublisherSession // nil for WHEP
	whep  *whepSession                // nil for signaling

	ending atomic.Bool // it is being ended by the agent
}

// whepSession is what WHEP has to remember of a session. Constant.
type whepSession struct {
	camera string
	etag   string
	// ice are the ICE credentials that the offer had, as "ufrag:pwd".
	ice map[string]bool
}
