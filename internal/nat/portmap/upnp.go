package portmap

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// upnpWait bounds everything that one mapping takes: slow routers need some seconds.
const upnpWait = 20 * time.Second

// upnp speaks UPnP IGD: WANIPConnection:1 and :2 and WANPPPConnection:1.
type upnp struct {
	gateway, local netip.Addr
	client         http.Client
	wait           time.Duration // for an answer to a search
	patience       time.Duration // for a mapping
	connection     *connection   // nil: not found yet
	forever        bool          // the router knows only leases without an end
}

func newUPnP(gateway, local netip.Addr) *upnp {
	return &upnp{gateway: gateway, local: local, client: newGatewayClient(gateway, local), wait: ssdpWait, patience: upnpWait}
}

func (u *upnp) request(ctx context.Context, w wish) (grant, error) {
	// Each single request is bounded, but a router could have us send hundreds.
	ctx, cancel := context.WithTimeout(ctx, u.patience)
	defer cancel()
	if u.connection != nil {
		g, err := u.mapOn(ctx, *u.connection, w)
		if err == nil || fault(err) != 0 || ctx.Err() != nil {
			return g, sentence(err)
		}
		u.connection = nil // the router restarted and is elsewhere now, or is gone
	}
	var got grant
	var describe, refuse error // what went wrong first
	err := search(ctx, u.local, u.gateway, u.wait, func(location *url.URL) bool {
		all, err := fetchConnections(ctx, u.client, location, u.gateway)
		describe = cmp.Or(describe, err)
		for _, c := range all {
			g, err := u.mapOn(ctx, c, w)
			if err == nil {
				got, u.connection = g, &c
				return true
			}
			refuse = cmp.Or(refuse, err)
		}
		return false
	})
	if u.connection != nil {
		return got, nil
	}
	return grant{}, sentence(cmp.Or(refuse, describe, err))
}

// sentence makes what went wrong with a router that does speak UPnP a refusal. What
// it says itself is not repeated at length.
func sentence(err error) error {
	var r refusal
	switch code := fault(err); {
	case err == nil || errors.As(err, &r) || errors.Is(err, errNoAddress) || errors.Is(err, errNoAnswer):
		return err
	case code == faultNotAuthorized:
		return refused("it does not allow this device to map this port (UPnP error %d)", code)
	case code == faultConflict, code == faultOtherMechanism, code == faultSamePort:
		return refused("the port is taken (UPnP error %d)", code)
	case code == faultActionFailed:
		return refused("it says that it failed (UPnP error %d)", code)
	case code != 0:
		return refused("it answers with UPnP error %d", code)
	}
	return refused("%s", clip(err.Error()))
}

// mapOn maps the port on one of the router's connections.
func (u *upnp) mapOn(ctx context.Context, c connection, w wish) (grant, error) {
	address, err := c.external(ctx)
	if err != nil {
		return grant{}, err
	}
	port := w.suggestedPort()
	for try := 0; ; try++ {
		seconds, err := u.add(ctx, c, w, port)
		if err == nil {
			return u.grant(w, netip.AddrPortFrom(address, port), seconds)
		}
		code := fault(err)
		if code == faultConflict {
			// Ours, from before: some refuse to renew.
			if left, ok := u.entry(ctx, c, w, port); ok {
				return u.grant(w, netip.AddrPortFrom(address, port), left)
			}
		}
		if try == 3 || code != faultConflict && code != faultOtherMechanism && code != faultActionFailed {
			return grant{}, err
		}
		port = uint16(49152 + rand.IntN(65536-49152)) //nolint:gosec // a free port, not a secret
	}
}

// grant is newGrant where 0 seconds are a lease without an end.
func (u *upnp) grant(w wish, external netip.AddrPort, seconds uint32) (grant, error) {
	if seconds > 0 {
		return newGrant(w.port, external, seconds)
	}
	g, err := newGrant(w.port, external, math.MaxUint32)
	g.lifetime = 0
	return g, err
}

// entry is a port mapping, or a part of one, as the actions name it. A missing
// element is an empty string.
type (
	entryKey struct {
		NewRemoteHost   string
		NewExternalPort string
		NewProtocol     string
	}
	newEntry struct {
		NewRemoteHost             string
		NewExternalPort           string
		NewProtocol               string
		NewInternalPort           string
		NewInternalClient         string
		NewEnabled                string
		NewPortMappingDescription string
		NewLeaseDuration          string // seconds; 0: without an end
	}
	entryState struct {
		NewInternalPort   string
		NewInternalClient string
		NewEnabled        string
		NewLeaseDuration  string // seconds that are left; 0: without an end
	}
)

func keyOf(transport string, port uint16) entryKey {
	return entryKey{"", strconv.Itoa(int(port)), strings.ToUpper(transport)}
}

// add maps the port and returns for how many seconds. Routers that know only leases
// without an end say so, or do not understand another.
func (u *upnp) add(ctx context.Context, c connection, w wish, port uint16) (seconds uint32, err error) {
	key := keyOf(w.transport, port)
	e := newEntry{
		NewRemoteHost: key.NewRemoteHost, NewExternalPort: key.NewExternalPort, NewProtocol: key.NewProtocol,
		NewInternalPort: strconv.Itoa(int(w.port)), NewInternalClient: u.local.String(), NewEnabled: "1",
		NewPortMappingDescription: "Sightline " + w.transport, NewLeaseDuration: "0",
	}
	if !u.forever {
		seconds = uint32(w.lifetime / time.Second)
		e.NewLeaseDuration = strconv.Itoa(int(seconds))
	}
	err = c.do(ctx, "AddPortMapping", &e, nil)
	if code := fault(err); !u.forever && (code == faultPermanentOnly || code == faultInvalidArgs) {
		seconds, e.NewLeaseDuration = 0, "0"
		err = c.do(ctx, "AddPortMapping", &e, nil)
		u.forever = err == nil
	}
	return seconds, err
}

// entry reports whether an external port is mapped to ours already, and for how many
// seconds more.
func (u *upnp) entry(ctx context.Context, c connection, w wish, port uint16) (left uint32, ok bool) {
	key := keyOf(w.transport, port)
	var e entryState
	if err := c.do(ctx, "GetSpecificPortMappingEntry", &key, &e); err != nil {
		return 0, false
	}
	if e.NewInternalClient != u.local.String() || e.NewInternalPort != strconv.Itoa(int(w.port)) || e.NewEnabled == "0" {
		return 0, false
	}
	seconds, err := strconv.ParseUint(e.NewLeaseDuration, 10, 32)
	return uint32(seconds), err == nil
}

func (u *upnp) release(ctx context.Context, transport string, g grant) error {
	if u.connection == nil {
		return nil // the router is gone, and the mapping with it
	}
	key := keyOf(transport, g.external.Port())
	err := u.connection.do(ctx, "DeletePortMapping", &key, nil)
	if fault(err) == faultNoSuchEntry {
		return nil
	}
	return sentence(err)
}
