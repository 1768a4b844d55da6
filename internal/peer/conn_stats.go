package peer

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/pion/webrtc/v4"
)

// ConnStats is what is known of a session on the viewer's side.
type ConnStats struct {
	// Local and Remote are the ends of the path in use, such as
	// "host 192.0.2.7:50123/udp"; empty before there is one.
	Local, Remote string
	// Relayed says that the path leads through a TURN server.
	Relayed bool
	// RoundTrip is the path's round trip time; 0 if not measured yet.
	RoundTrip time.Duration
	// Connections is the number of open HTTP connections.
	Connections int
	// Tracks are the streams, in order of their arrival.
	Tracks []TrackStats
}

// Direct reports whether there is a path that no server relays.
func (s ConnStats) Direct() bool { return s.Local != "" && !s.Relayed }

// Stats returns what is known now.
func (c *Conn) Stats() ConnStats {
	s := ConnStats{RoundTrip: c.rtt(), Connections: c.set.size()}
	pair, err := c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err == nil && pair != nil && pair.Local != nil && pair.Remote != nil {
		s.Local, s.Remote = candidateName(pair.Local), candidateName(pair.Remote)
		s.Relayed = pair.Local.Typ == webrtc.ICECandidateTypeRelay || pair.Remote.Typ == webrtc.ICECandidateTypeRelay ||
			c.check.isRelay(pair.Remote) // heard of before its candidate came
	}
	for _, t := range c.Tracks() {
		s.Tracks = append(s.Tracks, t.Stats())
	}
	return s
}

func candidateName(c *webrtc.ICECandidate) string {
	return fmt.Sprintf("%s %s/%s", c.Typ, net.JoinHostPort(c.Address, strconv.Itoa(int(c.Port))), c.Protocol)
}
