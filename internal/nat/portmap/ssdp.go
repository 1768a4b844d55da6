package portmap

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"
)

const (
	ssdpPort = 1900
	ssdpMost = 2048 // bytes of an answer
	// ssdpWait is how long answers are waited for after a search. Devices answer at a
	// random moment within a second (MX).
	ssdpWait     = 1250 * time.Millisecond
	maxLocations = 4 // devices of one router that are looked at
)

// search looks for UPnP devices of the router and gives the addresses of their
// descriptions to visit, each once, until that returns true; then it returns nil, else why it ended. It sends to the
// multicast group twice, as the standard has it, and to the router itself, which many
// answer at once (UPnP Device Architecture 1.1 §1.3.2). Answers of anything but the
// router are dropped: whoever they come from, it is not what is to map a port.
func search(ctx context.Context, local, gateway netip.Addr, wait time.Duration, visit func(*url.URL) bool) error {
	// Bound to our address towards the router, so that the search leaves there.
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
	if err != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	seen := make(map[string]bool)
	packet := make([]byte, ssdpMost+1)
	for range 2 {
		if err := sendSearch(conn, gateway); err != nil {
			return noAnswer(ctx, err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return noAnswer(ctx, err)
		}
		for {
			size, from, err := conn.ReadFromUDPAddrPort(packet)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return noAnswer(ctx, err)
			}
			if from.Addr().Unmap() != gateway || size > ssdpMost {
				continue
			}
			location, err := parseSearchAnswer(packet[:size], gateway)
			if err != nil || seen[location.String()] || len(seen) == maxLocations {
				continue
			}
			seen[location.String()] = true
			if visit(location) {
				return nil
			}
		}
	}
	return fmt.Errorf("%w in %s", errNoAnswer, 2*wait)
}

// sendSearch sends the searches. One that cannot be sent is no matter as long as
// another can: multicast may have no route.
func sendSearch(conn *net.UDPConn, gateway netip.Addr) error {
	group := netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 255, 255, 250}), ssdpPort)
	var sent bool
	var failed error
	for _, target := range []string{
		"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
		"urn:schemas-upnp-org:device:InternetGatewayDevice:2",
		"upnp:rootdevice", // some answer to nothing else
	} {
		text := "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + target + "\r\n\r\n"
		for _, to := range []netip.AddrPort{group, netip.AddrPortFrom(gateway, ssdpPort)} {
			if _, err := conn.WriteToUDPAddrPort([]byte(text), to); err != nil {
				failed = err
			} else {
				sent = true
			}
		}
	}
	if sent {
		return nil
	}
	return failed
}

// parseSearchAnswer returns where an answer to a search says that the device's
// description is. It must be on the router itself.
func parseSearchAnswer(packet []byte, gateway netip.Addr) (*url.URL, error) {
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(packet)), nil)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, errors.New("the answer is an error")
	}
	location, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		return nil, fmt.Errorf("read the location: %w", err)
	}
	if !isAt(location, gateway) {
		return nil, errors.New("the location is not on the router")
	}
	return location, nil
}

// isAt reports whether a URL is one of plain HTTP on the router itself.
func isAt(u *url.URL, gateway netip.Addr) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && a == gateway && u.Scheme == "http" && u.User == nil
}
