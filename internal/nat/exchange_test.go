package nat

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"
)

func TestMappedAddress_RefusesWhatNobodyIsReachedAt(t *testing.T) {
	for text, fine := range map[string]bool{
		"203.0.113.7": true, "192.168.1.2": true, "127.0.0.1": true, "2001:db8::1": true, "::ffff:203.0.113.7": true,
		"0.0.0.0": false, "::": false, "224.0.0.251": false, "255.255.255.255": false, "ff02::1": false, "fe80::1": false, "169.254.1.1": false,
	} {
		m := stun.MustBuild(stun.TransactionID, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.ParseIP(text), Port: 4000})
		if a, err := MappedAddress(m); (err == nil) != fine || fine && a.Addr() != netip.MustParseAddr(text).Unmap() {
			t.Errorf("%s: %v, %v", text, a, err)
		}
	}
}

func FuzzExchange(f *testing.F) {
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(203, 0, 113, 7), Port: 4000}).Raw)
	f.Add([]byte{1, 1, 0, 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		from := netip.MustParseAddrPort("203.0.113.1:3478")
		var x *Exchange
		// The server answers as soon as it is asked, in the id of the request.
		x = NewExchange(func(request []byte, _ netip.AddrPort) error {
			if len(p) >= 20 {
				copy(p[8:20], request[8:20])
			}
			x.Handle(p, from)
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r, err := x.Do(ctx, from, stun.BindingRequest)
		if err != nil {
			return
		}
		if a, err := MappedAddress(r.Message); err == nil && (!a.IsValid() || a.Port() == 0 || a.Addr().IsMulticast()) {
			t.Errorf("%v is taken", a)
		}
	})
}
