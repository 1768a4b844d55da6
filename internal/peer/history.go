package peer

import "github.com/sightline-cam/sightline/codecs/rtppack"

// historySize is how many sent packets can be asked for again: 9 s of 2 Mbit/s,
// 1 s of 16.
const historySize = 2048

// history remembers what was sent under which sequence number. It holds
// references into the frames that all viewers share, not copies: 32 bytes a
// packet.
//
// Owned by the sender's goroutine.
type history struct {
	sent []sentRTP // allocated with the first packet
}

type sentRTP struct {
	frame    *rtppack.Frame
	resent   int64 // Unix time in ns of the last retransmission
	ts       uint32
	seq      uint16
	index    uint16 // of the payload in the frame
	twcc     uint16
	pt       uint8
	resends  uint8
	hasTWCC  bool
	hasDelay bool
	marker   bool
}

func (h *history) put(s sentRTP) {
	if h.sent == nil {
		h.sent = make([]sentRTP, historySize)
	}
	h.sent[s.seq%historySize] = s
}

// get returns the packet sent as seq, or nil if it is too old or never was.
func (h *history) get(seq uint16) *sentRTP {
	if h.sent == nil {
		return nil
	}
	s := &h.sent[seq%historySize]
	if s.frame == nil || s.seq != seq {
		return nil
	}
	return s
}
