//go:build !linux

package portmap

import (
	"errors"
	"net/netip"
)

func defaultGateway() (gateway, local netip.Addr, err error) {
	return netip.Addr{}, netip.Addr{}, errors.New("the default route cannot be read on this system; forward the port by hand")
}
