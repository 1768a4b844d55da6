package portmap

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"

	"github.com/huin/goupnp"
	"github.com/huin/goupnp/soap"
)

// maxConnections is how many of a router's connections are looked at.
const maxConnections = 8

// connection is a connection of a UPnP router to the internet: a service
// WANIPConnection or WANPPPConnection.
type connection struct {
	kind string // the service's type, the name space of its actions
	soap *soap.SOAPClient
}

// fetchConnections reads a device's description and returns its connections.
func fetchConnections(ctx context.Context, client http.Client, location *url.URL, gateway netip.Addr) ([]connection, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, location.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("read the router's description: %w", err)
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("read the router's description: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read the router's description: HTTP %d", answer.StatusCode)
	}
	return parseDescription(answer.Body, client, location, gateway)
}

// parseDescription returns the connections in a device's description (UPnP Device
// Architecture 1.1 §2.3) whose control is on the router itself.
func parseDescription(document io.Reader, client http.Client, location *url.URL, gateway netip.Addr) ([]connection, error) {
	root := new(goupnp.RootDevice)
	decoder := xml.NewDecoder(document)
	decoder.DefaultSpace = goupnp.DeviceXMLNamespace
	if err := decoder.Decode(root); err != nil {
		return nil, fmt.Errorf("read the router's description: %w", err)
	}
	base := location
	if root.URLBaseStr != "" {
		var err error
		if base, err = url.Parse(root.URLBaseStr); err != nil {
			return nil, fmt.Errorf("read the router's description: %w", err)
		}
	}
	root.SetURLBase(base)
	var all []connection
	kinds := []string{
		"urn:schemas-upnp-org:service:WANIPConnection:2",
		"urn:schemas-upnp-org:service:WANIPConnection:1",
		"urn:schemas-upnp-org:service:WANPPPConnection:1",
	}
	root.Device.VisitServices(func(s *goupnp.Service) {
		if slices.Contains(kinds, s.ServiceType) && s.ControlURL.Ok && isAt(&s.ControlURL.URL, gateway) && len(all) < maxConnections {
			c := s.NewSOAPClient()
			c.HTTPClient = client
			all = append(all, connection{s.ServiceType, c})
		}
	})
	if len(all) == 0 {
		return nil, errors.New("the device has no connection to the internet")
	}
	return all, nil
}

// faults are the error codes of an action that matter here (WANIPConnection:1
// §2.4.16, WANIPConnection:2 §2.5.16).
const (
	faultInvalidArgs    = 402
	faultActionFailed   = 501
	faultNotAuthorized  = 606
	faultNoSuchEntry    = 714
	faultConflict       = 718
	faultSamePort       = 724
	faultPermanentOnly  = 725
	faultOtherMechanism = 729
)

// fault returns the error code of a failed action, or 0 if there was no such answer.
func fault(err error) int {
	var f *soap.SOAPFaultError
	if !errors.As(err, &f) {
		return 0
	}
	return f.Detail.UPnPError.Errorcode
}

// do performs an action of the connection. in and out are pointers to structs of
// strings.
func (c connection) do(ctx context.Context, action string, in, out any) error {
	err := c.soap.PerformActionCtx(ctx, c.kind, action, in, out)
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, context.Cause(ctx))
	}
	return err
}

// external returns the router's address on that connection.
func (c connection) external(ctx context.Context) (netip.Addr, error) {
	var out struct{ NewExternalIPAddress string }
	if err := c.do(ctx, "GetExternalIPAddress", nil, &out); err != nil {
		return netip.Addr{}, err
	}
	a, err := netip.ParseAddr(out.NewExternalIPAddress)
	if err != nil || a.IsUnspecified() {
		return netip.Addr{}, errNoAddress // routers say so with nothing, or words
	}
	return a.WithZone(""), nil // which may be any text, of any length
}
