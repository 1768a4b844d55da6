package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

// relayDesk gives out numbered credentials that last for a while.
type relayDesk struct {
	given int
	life  time.Duration
}

func (d *relayDesk) Relay(context.Context) (signaling.ICEServer, error) {
	if d.given == 100 {
		return signaling.ICEServer{}, errors.New("asked for ever")
	}
	d.given++
	return signaling.ICEServer{
		URLs: []string{"turn:relay.example"}, Username: fmt.Sprint(d.given), Credential: "c", Expires: time.Now().Add(d.life).Unix(),
	}, nil
}

// relayPort is a publisher of which only the relays are used.
type relayPort struct {
	publisher
	relays []peer.ICEServer
}

func (p *relayPort) SetRelays(s []peer.ICEServer) { p.relays = s }

func TestICEServers_ViewersWhoComeAtOnceGetARelayEach(t *testing.T) {
	i := newICEServers([]string{"stun:a.example"}, slog.New(slog.DiscardHandler))
	i.set(client.Service{Relay: true})
	desk, port := &relayDesk{life: 12 * time.Hour}, &relayPort{}
	if !i.refill(t.Context(), desk, port) || len(port.relays) != 1 {
		t.Fatalf("the agent itself has %d relays", len(port.relays))
	}
	seen := map[string]bool{port.relays[0].Username: true}
	for range relayStock {
		servers := i.forViewer()
		if len(servers) != 2 || seen[servers[1].Username] {
			t.Fatalf("a viewer got %+v", servers)
		}
		seen[servers[1].Username] = true
	}
	if servers := i.forViewer(); len(servers) != 1 {
		t.Errorf("a credential was given out twice: %+v", servers)
	}
	if !i.refill(t.Context(), desk, port) || len(i.forViewer()) != 2 {
		t.Error("the stock is not filled again")
	}
	i.set(client.Service{})
	if servers := i.forViewer(); len(servers) != 1 || !i.withdrawn() {
		t.Errorf("a relay that was withdrawn is still given out: %+v", servers)
	}
}

func TestICEServers_ShortCredentialsAreNotAskedForWithoutEnd(t *testing.T) {
	i := newICEServers(nil, slog.New(slog.DiscardHandler))
	i.set(client.Service{Relay: true})
	desk := &relayDesk{life: time.Minute}
	if i.refill(t.Context(), desk, &relayPort{}) || desk.given > 1 {
		t.Errorf("asked %d times for what ends too soon", desk.given)
	}
}

func TestICEServers_StrangersGetFewRelays(t *testing.T) {
	i := newICEServers([]string{"stun:stun.example:3478"}, slog.New(slog.DiscardHandler))
	for range 3 {
		i.stock = append(i.stock, signaling.ICEServer{URLs: []string{"turn:relay.example:3478"}, Username: "u", Credential: "c"})
	}
	relays := func(servers []signaling.ICEServer) (n int) {
		for _, s := range servers {
			if s.Username != "" {
				n++
			}
		}
		return n
	}
	if first, second := i.forClaim(), i.forClaim(); relays(first) != 1 || relays(second) != 0 || len(second) != 1 {
		t.Errorf("claims get %+v and %+v", first, second)
	}
	if known := i.forViewer(); relays(known) != 1 {
		t.Errorf("a viewer gets %+v", known)
	}
}
