package rtsp

import "fmt"

// Transport is how a camera's RTP packets travel.
type Transport string

// The transports.
const (
	// Auto takes TCP and falls back to UDP when the camera refuses TCP or
	// sends nothing over it, and the other way round once UDP worked better.
	Auto Transport = "auto"
	// TCP carries RTP inside the RTSP connection (RFC 2326 §10.12). No packet
	// is lost, and firewalls do not matter.
	TCP Transport = "tcp"
	// UDP carries RTP in datagrams of its own.
	UDP Transport = "udp"
)

// ParseTransport returns the transport with that name; the empty text is Auto.
func ParseTransport(s string) (Transport, error) {
	switch t := Transport(s); t {
	case "", Auto:
		return Auto, nil
	case TCP, UDP:
		return t, nil
	}
	return "", fmt.Errorf("unknown RTSP transport %q: choose auto, tcp or udp", s)
}

func (t Transport) name() string {
	if t == UDP {
		return "UDP"
	}
	return "TCP"
}

func (t Transport) other() Transport {
	if t == UDP {
		return TCP
	}
	return UDP
}
