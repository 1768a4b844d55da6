package peer

import (
	"time"

	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/codecs"
)

// depacketizer makes units of the packets of one RTP stream, in order.
type depacketizer interface {
	Push(p *rtp.Packet, arrived time.Time) []*codecs.Unit
}

type noDepacketizer struct{}

func (noDepacketizer) Push(*rtp.Packet, time.Time) []*codecs.Unit { return nil }

func newDepacketizer(codecs.Codec, int) depacketizer { return noDepacketizer{} }
