package rtppack

import (
	"sync"

	"github.com/sightline-cam/sightline/codecs"
)

// Frame is a Unit together with its RTP payloads. The payloads are made once,
// by whoever needs them first, and shared by all viewers: a Frame that only a
// recorder reads is never packetized.
type Frame struct {
	Unit  *codecs.Unit
	Codec codecs.Codec

	once     sync.Once
	payloads [][]byte
}

// NewFrame returns the frame of a unit of the given codec.
func NewFrame(c codecs.Codec, u *codecs.Unit) *Frame { return &Frame{Unit: u, Codec: c} }

// Payloads returns the RTP payloads of the frame in sending order, each at
// most MaxPayload bytes. The last one goes out with the marker bit for video.
// Safe for concurrent use; the result must not be changed.
func (f *Frame) Payloads() [][]byte {
	f.once.Do(func() { f.payloads = Pack(f.Codec, f.Unit) })
	return f.payloads
}
