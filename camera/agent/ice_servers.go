package agent

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

const (
	// relayReserve is how much life a credential must have left to be given out.
	relayReserve = time.Hour
	// relayWait is how long a credential is waited for.
	relayWait = 10 * time.Second
	// relayPause is the pause after a server gave none.
	relayPause = time.Minute
	// claimRelayEvery is how often somebody who is not known yet gets a relay, and
	// sessionRelayEvery how often one session gets another.
	claimRelayEvery   = 10 * time.Minute
	sessionRelayEvery = 10 * time.Minute
	sessionRelays     = 3
	// relayStock is how many credentials are kept for the next viewers: several come
	// at once when an outage ends.
	relayStock = 4
)

// relays gives out credentials: a *client.Client.
type relays interface {
	Relay(ctx context.Context) (signaling.ICEServer, error)
}

// iceServers are the STUN servers and relays that the agent names to its viewers,
// and uses itself. Credentials for the next viewers are fetched ahead, so that no
// answer waits for one.
type iceServers struct {
	// Constant after construction.
	configured []string // STUN servers of the configuration, as URLs
	log        *slog.Logger
	wake       chan struct{} // capacity 1: something changed
	claims     *rate.Limiter // relays for those who are not known yet

	mu      sync.Mutex
	service client.Service
	stock   []signaling.ICEServer // for the next viewers, one each
	own     *signaling.ICEServer  // for the agent
}

func newICEServers(configured []string, log *slog.Logger) *iceServers {
	return &iceServers{configured: configured, log: log, wake: make(chan struct{}, 1), claims: rate.NewLimiter(rate.Every(claimRelayEvery), 1)}
}

// set takes what the signaling server said of itself.
func (i *iceServers) set(s client.Service) {
	i.mu.Lock()
	i.service = s
	if !s.Relay {
		i.stock, i.own = nil, nil
	}
	i.mu.Unlock()
	i.poke()
}

func (i *iceServers) poke() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// stun returns the URLs of the STUN servers, at most signaling.MaxICEURLs.
func (i *iceServers) stun() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := append(append([]string(nil), i.configured...), i.service.STUN...)
	return all[:min(len(all), signaling.MaxICEURLs)]
}

// forClaim returns the servers for who says to have a secret: a relay for one of
// them every ten minutes, since anybody who knows this agent can say so.
func (i *iceServers) forClaim() []signaling.ICEServer {
	return i.within(i.claims)
}

// within returns the servers, with a relay as far as a limit allows.
func (i *iceServers) within(limit *rate.Limiter) []signaling.ICEServer {
	if limit.Allow() {
		return i.forViewer()
	}
	if stun := i.stun(); len(stun) > 0 {
		return []signaling.ICEServer{{URLs: stun}}
	}
	return nil
}

// forViewer returns the servers for one viewer. A credential is given to one
// only: whoever runs the relay can tell sessions apart, and end one.
func (i *iceServers) forViewer() []signaling.ICEServer {
	var out []signaling.ICEServer
	if stun := i.stun(); len(stun) > 0 {
		out = append(out, signaling.ICEServer{URLs: stun})
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stock = slices.DeleteFunc(i.stock, stale)
	if len(i.stock) > 0 {
		out = append(out, i.stock[0])
		i.stock = slices.Delete(i.stock, 0, 1)
		i.poke()
	}
	return out
}

// stale reports whether a credential ends too soon to be given out.
func stale(s signaling.ICEServer) bool {
	return s.Expires != 0 && time.Until(time.Unix(s.Expires, 0)) <= relayReserve
}

// run keeps credentials at hand, and tells the port of the servers, until ctx
// ends. from is nil without signaling.
func (i *iceServers) run(ctx context.Context, from relays, port publisher) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-i.wake:
		case <-timer.C:
		}
		port.SetSTUN(peer.STUNHosts(i.stun()))
		if i.withdrawn() {
			port.SetRelays(nil)
		}
		pause := relayReserve / 2
		if from != nil && !i.refill(ctx, from, port) {
			pause = relayPause
		}
		timer.Reset(pause)
	}
}

// withdrawn reports whether the agent has no relay of its own.
func (i *iceServers) withdrawn() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.own == nil
}

// refill fetches what is missing, and reports whether nothing is.
func (i *iceServers) refill(ctx context.Context, from relays, port publisher) bool {
	for {
		i.mu.Lock()
		i.stock = slices.DeleteFunc(i.stock, stale)
		relay := i.service.Relay
		own := i.own == nil || stale(*i.own)
		full := len(i.stock) >= relayStock
		i.mu.Unlock()
		if !relay || !own && full {
			return true
		}
		fetching, cancel := context.WithTimeout(ctx, relayWait)
		got, err := from.Relay(fetching)
		cancel()
		if err != nil {
			i.log.Info("no relay for viewers whom nothing else reaches", "error", err)
			return false
		}
		if stale(got) {
			i.log.Info("the relay's credentials end too soon to be given out", "expires", time.Unix(got.Expires, 0))
			return false
		}
		i.mu.Lock()
		if own {
			i.own = &got
		} else {
			i.stock = append(i.stock, got)
		}
		i.mu.Unlock()
		if own {
			port.SetRelays([]peer.ICEServer{{URLs: got.URLs, Username: got.Username, Credential: got.Credential}})
		}
	}
}
