package peer

import (
	"net"
	"strconv"
	"time"

	"github.com/pion/webrtc/v4"
)

// Stats is what a publisher sees of a session.
type Stats struct {
	// Connected is false until the first path was found.
	Connected bool `json:"connected"`
	// Since is when the viewer's offer came.
	Since time.Time `json:"since"`
	// Path is "direct" or "relayed"; empty while there is none.
	Path string `json:"path"`
	// Local and Remote are the chosen candidates' addresses with port.
	Local  string `json:"local"`
	Remote string `json:"remote"`
	// LocalKind and RemoteKind are their types: host, srflx, prflx, relay.
	LocalKind  string `json:"localKind"`
	RemoteKind string `json:"remoteKind"`
	// RTTMs is the round-trip time in ms; a guess until the viewer reports.
	RTTMs float64 `json:"rttMs"`
	// Loss is the share of packets the viewer reported lost last, 0 to 1.
	Loss float64 `json:"loss"`
	// Congested tells whether the path carries less than the camera gives.
	Congested bool `json:"congested"`
	// TargetBitrate is the bandwidth estimate in bit/s, QueueMs the standing
	// queue in the network.
	TargetBitrate int     `json:"targetBitrate"`
	QueueMs       float64 `json:"queueMs"`
	// Capacity is what fits through the path in bit/s, as trains of packets have
	// shown in the last seconds; 0 while that is not known.
	Capacity int `json:"-"`
	// Packets and so on are totals over all streams of the session.
	Packets       uint64 `json:"packets"`
	Octets        uint64 `json:"octets"`
	Frames        uint64 `json:"frames"`
	Dropped       uint64 `json:"dropped"`
	Retransmitted uint64 `json:"retransmitted"`
	// Rungs has the place on the ladder per video section: 0 is everything.
	Rungs []int `json:"rungs"`
	// UnsupportedCodec is set when a camera's codec is none the viewer takes.
	UnsupportedCodec bool `json:"unsupportedCodec"`
}

// Stats returns a snapshot.
func (s *Session) Stats() Stats {
	now := time.Now()
	st := s.pathState(now)
	out := Stats{
		Connected: s.ready(), Since: s.started,
		RTTMs: float64(s.rtt(st).Microseconds()) / 1e3, Loss: float64(s.lossRatio.Load()) / 256,
		Congested: st.congested, TargetBitrate: st.target, QueueMs: float64(st.queue.Microseconds()) / 1e3,
	}
	if st.fresh {
		out.Capacity = st.capacity
	}
	if pair, err := s.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair(); err == nil && pair != nil {
		out.Path = pathKind(pair)
		out.Local, out.Remote = candidateAddr(pair.Local), candidateAddr(pair.Remote)
		out.LocalKind, out.RemoteKind = pair.Local.Typ.String(), pair.Remote.Typ.String()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tracks {
		switch {
		case t.video != nil:
			v := t.video
			out.add(v.out, v.frames.Load(), v.dropped.Load())
			out.Rungs = append(out.Rungs, int(v.rung.Load()))
			out.UnsupportedCodec = out.UnsupportedCodec || v.unsupported.Load() > 0
		case t.audio != nil:
			out.add(t.audio.out, t.audio.frames.Load(), t.audio.dropped.Load())
		}
	}
	return out
}

func (s *Stats) add(o *rtpOut, frames, dropped uint64) {
	s.Packets += o.packets.Load()
	s.Octets += o.octets.Load()
	s.Retransmitted += o.retransmitted.Load()
	s.Frames += frames
	s.Dropped += dropped
}

func pathKind(p *webrtc.ICECandidatePair) string {
	if p.Local.Typ == webrtc.ICECandidateTypeRelay || p.Remote.Typ == webrtc.ICECandidateTypeRelay {
		return "relayed"
	}
	return "direct"
}

func candidateAddr(c *webrtc.ICECandidate) string {
	return net.JoinHostPort(c.Address, strconv.Itoa(int(c.Port)))
}
