//go:build linux

package netns

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// forget makes a router forget all connections that it translates, as one does
// that has dialled in again.
func (n *Namespace) forget() error {
	err := n.Do(func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		if err != nil {
			return fmt.Errorf("open a socket: %w", err)
		}
		return errors.Join(flush(fd), unix.Close(fd))
	})
	if err != nil {
		return fmt.Errorf("make %s forget its connections: %w", n.Name, err)
	}
	return nil
}

// flush deletes every connection: IPCTNL_MSG_CT_DELETE of the subsystem ctnetlink
// without a word on which.
func flush(fd int) error {
	const size = unix.SizeofNlMsghdr + 4 // and struct nfgenmsg
	request := binary.NativeEndian.AppendUint32(nil, size)
	request = binary.NativeEndian.AppendUint16(request, unix.NFNL_SUBSYS_CTNETLINK<<8|2)
	request = binary.NativeEndian.AppendUint16(request, unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	request = append(request, make([]byte, size-len(request))...)
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	answer := make([]byte, 4096)
	got, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return fmt.Errorf("hear the answer: %w", err)
	}
	if got < unix.SizeofNlMsghdr+4 {
		return errors.New("the answer is cut off")
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}
