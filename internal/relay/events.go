package relay

import (
	"net"
	"net/netip"
	"time"

	"github.com/pion/turn/v5"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Results of authentications, labels of metrics.
const (
	authAccepted = "accepted"
	authRefused  = "refused"
)

// authenticate implements turn.AuthHandler: the username names an enrolled agent
// and has not expired. pion then compares the password.
func (s *Server) authenticate(r *turn.RequestAttributes) (userID string, key []byte, ok bool) {
	agent, expires, err := parseUsername(r.Username)
	if err != nil || !time.Now().Before(expires) || !s.turn.Agents.Enrolled(agent) {
		s.metrics.auth.WithLabelValues(authRefused).Inc()
		return "", nil, false
	}
	return string(agent), turn.GenerateAuthKey(r.Username, r.Realm, s.turn.Secret.password(r.Username)), true
}

// quota implements turn.QuotaHandler, which lets pion say why (error 486).
func (s *Server) quota(userID, _ string, _ net.Addr) bool {
	err := s.accounts.check(time.Now(), identity.PeerID(userID))
	if err != nil {
		s.metrics.refused.WithLabelValues(reasonOf(err)).Inc()
	}
	return err == nil
}

// permit implements turn.PermissionHandler for the clients that find names.
func (s *Server) permit(find func(from netip.AddrPort) *allocation) turn.PermissionHandler {
	return func(from net.Addr, peer net.IP) bool {
		ip, ok := netip.AddrFromSlice(peer)
		ip = ip.Unmap()
		s.destinations.refresh(time.Now(), s.log)
		a := find(addrPort(from))
		if !ok || a == nil || !s.destinations.address(ip) {
			s.metrics.forbidden.Inc()
			return false
		}
		p := a.peers.Load()
		// pion does not say what for. Who has that many channels renews none: no
		// session has.
		return (p.permitted[ip] || len(p.permitted) < maxPermissions) && len(p.byNumber) < maxChannels
	}
}

// events tells this package what pion knows of allocations. They are called with
// pion's locks held: nothing here waits.
func (s *Server) events() turn.EventHandler {
	change := func(relay net.Addr, f func(*peers)) {
		if a := s.relay(addrPort(relay)); a != nil {
			a.change(f)
		}
	}
	return turn.EventHandler{
		OnAuth: func(_, _ net.Addr, _, _, _, _ string, verdict bool) {
			result := authRefused
			if verdict {
				result = authAccepted
			}
			s.metrics.auth.WithLabelValues(result).Inc()
		},
		OnAllocationCreated: func(from, to net.Addr, _, _, _ string, relay net.Addr, _ int) { s.created(from, to, relay) },
		OnPermissionCreated: func(_, _ net.Addr, _, _, _ string, relay net.Addr, peer net.IP) {
			if ip, ok := netip.AddrFromSlice(peer); ok {
				change(relay, func(p *peers) { p.permitted[ip.Unmap()] = true })
			}
		},
		OnPermissionDeleted: func(_, _ net.Addr, _, _, _ string, relay net.Addr, peer net.IP) {
			if ip, ok := netip.AddrFromSlice(peer); ok {
				change(relay, func(p *peers) { delete(p.permitted, ip.Unmap()) })
			}
		},
		OnChannelCreated: func(_, _ net.Addr, _, _, _ string, relay, peer net.Addr, number uint16) {
			change(relay, func(p *peers) { p.byNumber[number], p.byPeer[addrPort(peer)] = addrPort(peer), number })
		},
		OnChannelDeleted: func(_, _ net.Addr, _, _, _ string, relay, peer net.Addr, number uint16) {
			change(relay, func(p *peers) {
				delete(p.byNumber, number)
				delete(p.byPeer, addrPort(peer))
			})
		},
	}
}

// created gives an allocation its client, before the client knows of it.
func (s *Server) created(from, to, relay net.Addr) {
	a := s.relay(addrPort(relay))
	if a == nil {
		return
	}
	c, over := s.client(from, to)
	if c == nil {
		_ = a.Close() // the stream has just ended
		return
	}
	a.client.Store(c)
	if c.stream != nil {
		c.stream.attach(a)
	} else {
		c.socket.attach(c.at, a)
	}
	if a.closed.Load() {
		c.forget(a) // in the meantime
	}
	s.metrics.allocated.WithLabelValues(string(over)).Inc()
	s.log.Debug("relay opened", "agent", a.account.agent.Short(), "over", string(over), "relay", a.public.String())
}

// client finds who sends from one address to another of ours.
func (s *Server) client(from, to net.Addr) (*client, transport) {
	at := addrPort(from)
	if _, tcp := from.(*net.TCPAddr); tcp {
		for _, l := range s.listeners {
			if st := l.stream(endpoints{at, addrPort(to)}); st != nil {
				return &client{stream: st}, l.transport()
			}
		}
		return nil, ""
	}
	for _, sock := range s.sockets {
		if addrPort(sock.LocalAddr()) == addrPort(to) {
			return &client{socket: sock, at: at}, overUDP
		}
	}
	return nil, ""
}
