package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"

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
)

// relays gives out credentials: a *client.Client.
type relays interface {
	Relay(ctx context.Context) (signaling.ICEServer, error)
}

// iceServers are the STUN servers and relays that the agent names to its viewers,
// and uses itself. A credential for the next viewer is fetched ahead, so that no
// answer waits for one.
type iceServers struct {
	// Constant after construction.
	configured []string // STUN servers of the configuration, as URLs
	log        *slog.Logger
	wake       chan struct{} // capacity 1: something changed

	mu      sync.Mutex
	service client.Service
	next    *signaling.ICEServer // for the next viewer
	own     *signaling.ICEServer // for the agent
}

func newICEServers(configured []string, log *slog.Logger) *iceServers {
	return &iceServers{configured: configured, log: log, wake: make(chan struct{}, 1)}
}

// set takes what the signaling server said of itself.
func (i *iceServers) set(s client.Service) {
	i.mu.Lock()
	i.service = s
	if !s.Relay {
		i.next, i.own = nil, nil
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

// forViewer returns the servers for one viewer. A credential is given to one
// only: whoever runs the relay can tell sessions apart, and end one.
func (i *iceServers) forViewer() []signaling.ICEServer {
	var out []signaling.ICEServer
	if stun := i.stun(); len(stun) > 0 {
		out = append(out, signaling.ICEServer{URLs: stun})
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if usable(i.next) {
		out = append(out, *i.next)
		i.next = nil
		i.poke()
	}
	return out
}

func usable(s *signaling.ICEServer) bool {
	return s != nil && (s.Expires == 0 || time.Until(time.Unix(s.Expires, 0)) > relayReserve)
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
		pause := relayReserve / 2
		if from != nil && !i.refill(ctx, from, port) {
			pause = relayPause
		}
		timer.Reset(pause)
	}
}

// refill fetches what is missing, and reports whether nothing is.
func (i *iceServers) refill(ctx context.Context, from relays, port publisher) bool {
	for _, place := range []**signaling.ICEServer{&i.own, &i.next} {
		i.mu.Lock()
		wanted := i.service.Relay && !usable(*place)
		i.mu.Unlock()
		if !wanted {
			continue
		}
		fetching, cancel := context.WithTimeout(ctx, relayWait)
		got, err := from.Relay(fetching)
		cancel()
		if err != nil {
			i.log.Info("no relay for viewers whom nothing else reaches", "error", err)
			return false
		}
		i.mu.Lock()
		*place = &got
		i.mu.Unlock()
		if place == &i.own {
			port.SetRelays([]peer.ICEServer{{URLs: got.URLs, Username: got.Username, Credential: got.Credential}})
		}
	}
	return true
}
