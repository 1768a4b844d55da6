package peer

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// gsoWriter sends trains by UDP generic segmentation offload (UDP_SEGMENT,
// Linux 4.18): one pass through the network stack for all packets.
type gsoWriter struct{ c *net.UDPConn }

func newSegmentWriter(c net.PacketConn) segmentWriter {
	u, ok := c.(*net.UDPConn)
	if !ok {
		return nil
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return nil
	}
	supported := false
	err = raw.Control(func(fd uintptr) {
		_, e := unix.GetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT)
		supported = e == nil
	})
	if err != nil || !supported {
		return nil
	}
	return gsoWriter{u}
}

func (w gsoWriter) writeSegments(train []byte, segment int, dst netip.AddrPort) error {
	var space [24]byte // CMSG_SPACE(2) on 64 and 32 bit systems fits
	oob := space[:unix.CmsgSpace(2)]
	le := binary.NativeEndian
	if unix.SizeofCmsghdr == 16 {
		le.PutUint64(oob[0:], uint64(unix.CmsgLen(2)))
		le.PutUint32(oob[8:], unix.IPPROTO_UDP)
		le.PutUint32(oob[12:], unix.UDP_SEGMENT)
	} else {
		le.PutUint32(oob[0:], uint32(unix.CmsgLen(2)))
		le.PutUint32(oob[4:], unix.IPPROTO_UDP)
		le.PutUint32(oob[8:], unix.UDP_SEGMENT)
	}
	le.PutUint16(oob[unix.CmsgLen(0):], uint16(segment))
	_, _, err := w.c.WriteMsgUDPAddrPort(train, oob, dst)
	return err
}

// trainsUnsupported tells a lack of support (some drivers and tunnels refuse
// checksum offload with EIO) from an error of one destination (EINVAL where its
// MTU is smaller than a packet) or moment (a full buffer).
func trainsUnsupported(err error) bool {
	return errors.Is(err, unix.EIO) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOPROTOOPT)
}
