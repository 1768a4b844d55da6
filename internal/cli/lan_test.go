package cli

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/internal/identity"
)

// heard is a listener that says where it listens.
type heard struct {
	net.Listener
	addr netip.AddrPort
}

func (h heard) Addr() net.Addr { return net.TCPAddrFromAddrPort(h.addr) }

// An agent that only this machine can reach says nothing in the network.
func TestJoinLAN_OnlyWhoCanBeReachedSaysSo(t *testing.T) {
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		listen, udp      string
		open, noMDNS, on bool
	}{
		"as usual":               {"[::]:8788", ":0", false, false, true},
		"registered elsewhere":   {"127.0.0.1:8788", ":0", false, false, true},
		"media on loopback":      {"192.0.2.1:8788", "127.0.0.1:0", false, false, true},
		"all on loopback":        {"127.0.0.1:8788", "127.0.0.1:0", false, false, false},
		"open":                   {"127.0.0.1:8788", "", true, false, false},
		"told to leave it alone": {"[::]:8788", ":0", false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := agent.Options{
				Identity: id, Listener: heard{addr: netip.MustParseAddrPort(tt.listen)}, UDP: tt.udp, Open: tt.open,
				Logger: slog.New(slog.DiscardHandler),
			}
			pub := &Publication{NoMDNS: tt.noMDNS}
			_, leave := pub.joinLAN(&o)
			if on := o.Resolve != nil && o.OnUDP != nil; on != tt.on {
				t.Errorf("takes part: %v", on)
			}
			if err := leave(); err != nil {
				t.Error(err)
			}
		})
	}
}
