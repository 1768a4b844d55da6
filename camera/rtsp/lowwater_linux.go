package rtsp

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// setLowWater tells the kernel how much must have come before it wakes us. Without
// it every packet wakes the process, even if nobody reads; so it is no error.
func setLowWater(conn net.Conn, bytes int) {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, bytes)
	})
}
