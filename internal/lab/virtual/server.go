package virtual

import (
	"net"
	"net/netip"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// The one user of a TURN server.
const (
	TURNUser     = "viewer"
	TURNPassword = "let me through"
)

// ServerPort is where a host serves STUN and TURN.
const ServerPort = 3478

// ServeTURN starts a STUN server on a host that relays too: TURN over UDP, for
// TURNUser. It ends with the test.
func (h *Host) ServeTURN() netip.AddrPort {
	return h.serve(turn.ServerConfig{
		Realm: "virtual",
		AuthHandler: func(r *turn.RequestAttributes) (string, []byte, bool) {
			return r.Username, turn.GenerateAuthKey(TURNUser, r.Realm, TURNPassword), r.Username == TURNUser
		},
	})
}

// ServeSTUN starts a STUN server on a host. It ends with the test.
func (h *Host) ServeSTUN() netip.AddrPort { return h.serve(turn.ServerConfig{}) }

func (h *Host) serve(c turn.ServerConfig) netip.AddrPort {
	h.world.t.Helper()
	at := netip.AddrPortFrom(h.Addr, ServerPort)
	conn, err := h.ListenPacket("udp", at.String())
	h.world.check(err)
	c.LoggerFactory = logging.NewDefaultLoggerFactory()
	c.PacketConnConfigs = []turn.PacketConnConfig{{
		PacketConn:            conn,
		RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{RelayAddress: net.IP(h.Addr.AsSlice()), Address: h.Addr.String(), Net: h},
	}}
	s, err := turn.NewServer(c)
	h.world.check(err)
	h.world.t.Cleanup(func() { _ = s.Close() })
	return at
}
