package peer

import (
	"errors"
	"io"

	"github.com/pion/transport/v4/packetio"
)

const (
	// maxReceptions is how many streams a viewer may report on: twice what the
	// sections of a session send, retransmissions included, and some more for
	// what browsers make up.
	maxReceptions = 256
	// receptionBuffer bounds the reports of one stream that wait, in bytes.
	receptionBuffer = 64 << 10
)

var errTooManyReceptions = errors.New("the viewer reported on too many streams")

// reception is pion's buffer for the reports (RTCP) on one stream. pion makes one
// for every SSRC that a report names and keeps it to the end of the session, so
// a viewer that names ever new ones ends its session.
func (s *Session) reception(packetio.BufferPacketType, uint32) io.ReadWriteCloser {
	b := packetio.NewBuffer()
	b.SetLimitSize(receptionBuffer)
	if s.receptions.Add(1) > maxReceptions {
		_ = b.Close() // takes nothing any more
		s.fail(errTooManyReceptions)
		s.end()
	}
	return b
}
