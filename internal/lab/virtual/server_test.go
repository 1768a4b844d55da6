package virtual

import (
	"net"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

func TestServer_SaysWhatItSees(t *testing.T) {
	inBubble(t, func(t *testing.T, w *World) {
		at := w.Server().ServeSTUN()
		s := w.Network(FullCone, NetworkOptions{}).Host().socket(t, 5000)
		request := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
		if _, err := s.WriteTo(request.Raw, net.UDPAddrFromAddrPort(at)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1500)
		n, _, err := s.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		m := &stun.Message{Raw: b[:n]}
		var seen stun.XORMappedAddress
		if err := m.Decode(); err != nil {
			t.Fatal(err)
		}
		if err := seen.GetFrom(m); err != nil {
			t.Fatal(err)
		}
		other := w.Server().socket(t, 3478)
		ip, _ := netip.AddrFromSlice(seen.IP)
		if mapped := netip.AddrPortFrom(ip.Unmap(), uint16(seen.Port)); !other.reaches(mapped, s) {
			t.Errorf("the host behind a full cone is not reached at %v", mapped)
		}
	})
}

func TestServer_RelaysForWhomItKnows(t *testing.T) {
	inBubble(t, func(t *testing.T, w *World) {
		at := w.Server().ServeTURN()
		peer := w.Network(Public, NetworkOptions{}).Host().socket(t, 5000)
		for _, tt := range []struct {
			password string
			want     bool
		}{{TURNPassword, true}, {"guess", false}} {
			h := w.Network(Symmetric, NetworkOptions{}).Host()
			c, err := turn.NewClient(&turn.ClientConfig{
				TURNServerAddr: at.String(), Username: TURNUser, Password: tt.password, Conn: h.socket(t, 5000), Net: h,
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Listen(); err != nil {
				t.Fatal(err)
			}
			relay, err := c.Allocate()
			if (err == nil) != tt.want {
				t.Fatalf("allocate with %q: %v", tt.password, err)
			}
			if err == nil {
				if _, err := relay.WriteTo([]byte("hello"), peer.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				if from := peer.receive(); from.Addr() != at.Addr() || from.Port() == at.Port() {
					t.Errorf("what is relayed comes from %v", from)
				}
				_ = relay.Close()
			}
			c.Close()
		}
	})
}
