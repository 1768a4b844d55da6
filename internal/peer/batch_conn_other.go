//go:build !linux

package peer

import "net"

func newSegmentWriter(net.PacketConn) segmentWriter { return nil }

func trainsUnsupported(error) bool { return true }
