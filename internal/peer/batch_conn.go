package peer

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/sightline-cam/sightline/internal/nat"
)

// maxSegments is how many packets one system call carries at most. The kernel
// allows 64 (UDP_MAX_SEGMENTS in Linux 4.18); a datagram train of 16 is where
// the gain levels off.
const maxSegments = 32

// stunHeader is the length of a STUN message without attributes (RFC 8489 §5).
const stunHeader = 20

// maxTrain bounds the bytes of one train: a UDP datagram before segmentation.
const maxTrain = 60_000

// segmentWriter sends a train of packets of equal size (the last may be
// shorter) to one destination.
type segmentWriter interface {
	writeSegments(train []byte, segment int, dst netip.AddrPort) error
}

// batchConn is the one UDP socket of an Endpoint. Packets of the RTP streams
// that have a batch are held until the batch is flushed and then leave in
// trains; everything else (STUN, DTLS, RTCP) goes out at once.
//
// A batch is found by the SSRC in the RTP header, which SRTP leaves in clear,
// so that the packets may come through pion's whole stack in between.
type batchConn struct {
	net.PacketConn               // as bound
	ap             addrPortConn  // nil where the socket cannot (virtual networks)
	seg            segmentWriter // nil where trains are not supported
	batches        sync.Map      // SSRC uint32 -> *batch
	disabled       atomic.Bool   // the kernel refused a train once
	stats          batchStats

	// Set before the first read, constant then.
	media    bool          // media comes in too
	exchange *nat.Exchange // takes answers to STUN of our own; nil without
	unknown  requestFilter // sees every STUN request; nil without
	count    atomic.Uint64 // media packets that came
	early    earlyMedia    // what came before its description
}

// requestFilter sees a STUN request before pion does, and reports whether it is
// not for pion.
type requestFilter func(p []byte, from netip.AddrPort) (taken bool)

type batchStats struct {
	trains, packets, singles atomic.Uint64
}

type addrPortConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error)
}

func newBatchConn(c net.PacketConn) *batchConn {
	b := &batchConn{PacketConn: c}
	if ap, ok := c.(addrPortConn); ok {
		b.ap = ap
	}
	b.seg = newSegmentWriter(c)
	return b
}

// batch collects the packets of one viewer's stream. Its owner calls flush
// after a run of packets; the mutex only guards against packets of the same
// stream that others write (retransmissions come from the owner too, so it is
// never contended).
type batch struct {
	conn  *batchConn
	ssrcs []uint32

	mu      sync.Mutex
	buf     []byte
	segment int // size of the first packet; 0 when empty
	n       int
	short   bool // a shorter packet ended the train
	dst     netip.AddrPort
}

// newBatch makes a batch for the streams with the given SSRCs. close it.
func (c *batchConn) newBatch(ssrcs ...uint32) *batch {
	b := &batch{conn: c, ssrcs: ssrcs}
	for _, s := range ssrcs {
		c.batches.Store(s, b)
	}
	return b
}

func (b *batch) close() {
	for _, s := range b.ssrcs {
		b.conn.batches.CompareAndDelete(s, b)
	}
	b.flush()
}

func (b *batch) add(p []byte, dst netip.AddrPort) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n > 0 && (b.short || len(p) > b.segment || dst != b.dst || b.n == maxSegments || len(b.buf)+len(p) > maxTrain) {
		b.flushLocked()
	}
	if b.n == 0 {
		b.segment, b.dst = len(p), dst
	}
	b.short = len(p) < b.segment
	b.buf = append(b.buf, p...)
	b.n++
	return len(p), nil
}

// flush sends what is held.
func (b *batch) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flushLocked()
}

func (b *batch) flushLocked() {
	if b.n == 0 {
		return
	}
	b.conn.writeTrain(b.buf, b.segment, b.n, b.dst)
	b.buf = b.buf[:0]
	b.n, b.segment, b.short = 0, 0, false
	if cap(b.buf) > maxTrain/2 { // a key frame's train; do not keep it for every viewer
		b.buf = nil
	}
}

// writeTrain sends n packets. Like any UDP write it reports no error: what is
// lost is for NACK to bring back.
func (c *batchConn) writeTrain(train []byte, segment, n int, dst netip.AddrPort) {
	c.stats.packets.Add(uint64(n))
	if n > 1 && c.seg != nil && !c.disabled.Load() {
		err := c.seg.writeSegments(train, segment, dst)
		if err == nil {
			c.stats.trains.Add(1)
			return
		}
		if trainsUnsupported(err) {
			c.disabled.Store(true)
		}
	}
	c.stats.singles.Add(uint64(n))
	for len(train) > 0 {
		k := min(segment, len(train))
		_, _ = c.writeNow(train[:k], dst)
		train = train[k:]
	}
}

func (c *batchConn) writeNow(p []byte, dst netip.AddrPort) (int, error) {
	if c.ap != nil {
		return c.ap.WriteToUDPAddrPort(p, dst)
	}
	return c.PacketConn.WriteTo(p, net.UDPAddrFromAddrPort(dst))
}

// isRTP tells RTP from STUN, DTLS (RFC 7983) and RTCP (RFC 5761 §4).
func isRTP(p []byte) bool {
	return len(p) >= 12 && p[0] >= 128 && p[0] < 192 && (p[1] < 192 || p[1] > 223)
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (c *batchConn) WriteToAddrPort(p []byte, dst netip.AddrPort) (int, error) {
	if isRTP(p) {
		if b, ok := c.batches.Load(binary.BigEndian.Uint32(p[8:])); ok {
			if b, ok := b.(*batch); ok {
				return b.add(p, dst)
			}
		}
	}
	return c.writeNow(p, dst)
}

// WriteTo implements net.PacketConn.
func (c *batchConn) WriteTo(p []byte, dst net.Addr) (int, error) {
	if u, ok := dst.(*net.UDPAddr); ok {
		return c.WriteToAddrPort(p, u.AddrPort())
	}
	return c.PacketConn.WriteTo(p, dst)
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter. Media is left out unless
// it is expected: pion would keep a buffer for every stream of it. A single error
// is passed over: pion closes the port for good after one, and some are the doing
// of whoever sent a packet.
func (c *batchConn) ReadFromAddrPort(p []byte) (int, netip.AddrPort, error) {
	for failures := 0; ; {
		if n, from, ok := c.early.next(p); ok {
			return n, from, nil
		}
		n, from, err := c.readFromAddrPort(p)
		switch {
		case err == nil && (c.taken(p[:n], from) || c.early.take(p[:n], from)):
			continue
		case err == nil, isTimeout(err), errors.Is(err, net.ErrClosed), failures == maxReadFailures:
			return n, from, err
		}
		failures++
	}
}

// taken reports whether a packet is not for pion.
func (c *batchConn) taken(p []byte, from netip.AddrPort) bool {
	if isRTP(p) {
		c.count.Add(1)
		return !c.media
	}
	if len(p) < stunHeader || p[0] > 1 {
		return false
	}
	if p[0] == 1 && c.exchange != nil && c.exchange.Handle(p, from) {
		return true
	}
	return p[0] == 0 && c.unknown != nil && c.unknown(p, from)
}

func (c *batchConn) readFromAddrPort(p []byte) (int, netip.AddrPort, error) {
	if c.ap != nil {
		n, a, err := c.ap.ReadFromUDPAddrPort(p)
		return n, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), err
	}
	n, a, err := c.ReadFrom(p)
	if err != nil {
		return n, netip.AddrPort{}, err
	}
	if u, ok := a.(*net.UDPAddr); ok {
		return n, u.AddrPort(), nil
	}
	return n, netip.AddrPort{}, nil
}
