package netcheck

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
	"github.com/sightline-cam/sightline/signaling"
)

const oneWay = 20 * time.Millisecond

// twoFaced is a STUN server of RFC 5780 with two addresses and two ports.
type twoFaced struct {
	conns [2][2]net.PacketConn // by address, port
	addrs [2][2]netip.AddrPort
	stuck bool // answers from where it was asked, whatever a CHANGE-REQUEST says
	// pauses makes it stand still for so long, with all its ports, when it is asked
	// for the n-th time.
	pauses map[int]time.Duration
	asked  chan int // holds the number of questions, but for while it stands still
}

func serveTwoFaced(t *testing.T, listen [2]func(port uint16) net.PacketConn) *twoFaced {
	t.Helper()
	s := &twoFaced{}
	for i, l := range listen {
		for j, port := range []uint16{3478, 3479} {
			s.conns[i][j] = l(port)
			s.addrs[i][j] = s.conns[i][j].LocalAddr().(*net.UDPAddr).AddrPort()
			s.addrs[i][j] = unmapped(s.addrs[i][j])
		}
	}
	s.start(t, len(s.conns))
	return s
}

// start serves the first n addresses.
func (s *twoFaced) start(t *testing.T, n int) {
	s.asked = make(chan int, 1)
	s.asked <- 0
	for i := range n {
		for j := range s.conns[i] {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				s.serve(i, j)
			}()
			t.Cleanup(func() {
				_ = s.conns[i][j].Close()
				<-ended
			})
		}
	}
}

func (s *twoFaced) serve(i, j int) {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conns[i][j].ReadFrom(buf)
		if err != nil {
			return
		}
		m := &stun.Message{Raw: buf[:n]}
		if m.Decode() != nil || m.Type != stun.BindingRequest {
			continue
		}
		s.pause()
		fi, fj := i, j
		if change, err := m.Get(stun.AttrChangeRequest); err == nil && len(change) == 4 && !s.stuck {
			if change[3]&changeIP != 0 {
				fi = 1 - i
			}
			if change[3]&changePort != 0 {
				fj = 1 - j
			}
		}
		u := from.(*net.UDPAddr)
		other := udpAddr(s.addrs[1-i][1-j])
		answer, err := stun.Build(m, stun.BindingSuccess, &stun.XORMappedAddress{IP: u.IP, Port: u.Port},
			&stun.OtherAddress{IP: other.IP, Port: other.Port}, stun.Fingerprint)
		if err != nil {
			continue
		}
		_, _ = s.conns[fi][fj].WriteTo(answer.Raw, from)
	}
}

// pause counts a question, and stands still if it is time to.
func (s *twoFaced) pause() {
	n := <-s.asked + 1
	if d := s.pauses[n]; d > 0 {
		<-time.After(d)
	}
	s.asked <- n
}

// at returns a function that opens a port of a host.
func at(t *testing.T, h *virtual.Host) func(uint16) net.PacketConn {
	return func(port uint16) net.PacketConn {
		c, err := h.ListenPacket("udp", netip.AddrPortFrom(h.Addr, port).String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// stunService starts such a server in a world.
func stunService(t *testing.T, w *virtual.World) (*twoFaced, signaling.ICEServer) {
	s := serveTwoFaced(t, [2]func(uint16) net.PacketConn{at(t, w.Server()), at(t, w.Server())})
	return s, signaling.ICEServer{URLs: []string{"stun:" + s.addrs[0][0].String()}}
}
