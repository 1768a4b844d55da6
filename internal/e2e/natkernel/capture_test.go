package natkernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sightline-cam/sightline/internal/lab/netns"
)

// capture is what passed an interface.
type capture struct {
	mu     sync.Mutex
	frames [][]byte // guarded by mu
}

// sniff records what passes the interfaces of a namespace until the test ends.
func sniff(t *testing.T, n *netns.Namespace) *capture {
	t.Helper()
	const everything = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // in network order
	var fd int
	if err := n.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, everything&0xffff)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}); err != nil {
		t.Fatal(err)
	}
	c := &capture{}
	stop := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for buf := make([]byte, 1<<16); ; {
			select {
			case <-stop:
				return
			default:
			}
			n, _, err := unix.Recvfrom(fd, buf, 0)
			if err != nil || n <= 0 {
				continue // the time is over, look for the end
			}
			c.mu.Lock()
			c.frames = append(c.frames, bytes.Clone(buf[:n]))
			c.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		close(stop)
		reading.Wait()
		_ = unix.Close(fd)
	})
	return c
}

// pieceSize is so many bytes that they are not twice the same by chance.
const pieceSize = 24

// pieces returns a piece of what was in every large packet from an address.
func (c *capture) pieces(address [4]byte) map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]bool{}
	for _, f := range c.frames {
		if len(f) > 400 && bytes.Equal(f[26:30], address[:]) {
			piece := f[len(f)-4*pieceSize:][:pieceSize]
			if differ(piece) {
				found[string(piece)] = true
			}
		}
	}
	return found
}

// differ reports whether there are many values among the bytes: what is all
// zeros, say, is no piece of anything.
func differ(piece []byte) bool {
	values := map[byte]bool{}
	for _, b := range piece {
		values[b] = true
	}
	return len(values) > pieceSize/2
}

// having counts the packets with one of the pieces anywhere in them.
func (c *capture) having(pieces map[string]bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.frames {
		for i := range max(0, len(f)-pieceSize) {
			if pieces[string(f[i:i+pieceSize])] {
				n++
				break
			}
		}
	}
	return n
}

// kinds counts what is in the UDP packets to or from an address: the first byte
// tells (RFC 7983), after the header of TURN's ChannelData (RFC 8656 section
// 12.4) if there is one.
func (c *capture) kinds(address [4]byte) map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]int{}
	for _, f := range c.frames {
		const ethernet, ip, udp = 14, 20, 8
		if len(f) < ethernet+ip+udp+4 || binary.BigEndian.Uint16(f[12:]) != unix.ETH_P_IP || f[ethernet]&15 != 5 || f[ethernet+9] != unix.IPPROTO_UDP {
			continue
		}
		if !bytes.Equal(f[ethernet+12:][:4], address[:]) && !bytes.Equal(f[ethernet+16:][:4], address[:]) {
			continue
		}
		found[kindOf(f[ethernet+ip+udp:])]++
	}
	return found
}

func kindOf(payload []byte) string {
	if payload[0] >= 64 && payload[0] < 80 && len(payload) > 4 {
		payload = payload[4:]
	}
	switch first := payload[0]; {
	case first < 4:
		return "STUN"
	case first >= 20 && first < 64:
		return "DTLS"
	case first >= 128 && first < 192:
		return "SRTP"
	}
	return "something else"
}

// What the relay sees of a picture is ciphertext. That the picture would be found
// if it were not is shown at the camera, where it is not encrypted yet.
func TestRelay_SeesOnlyCiphertext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, relayFlags()...)
	hosts := w.Sites(t, netns.SiteOptions{Kind: netns.PortRestricted}, netns.SiteOptions{Kind: netns.Symmetric})
	home, relay := sniff(t, hosts[0].Namespace), sniff(t, w.Servers)
	a := w.camera(t, place{kind: netns.PortRestricted}, hosts[0])
	a.ready(t)
	p := w.play(t, hosts[1], a.link, "--state-dir", w.viewers(t, 1)[0])
	p.WaitFor(t, `path=relayed`, patience)
	p.waitVideo(t, 4*steady, time.Now(), patience)
	var plain map[string]bool
	for deadline := time.Now().Add(patience); ; p.waitVideo(t, steady, time.Now(), patience) {
		plain = home.pieces([4]byte{127, 0, 0, 1})
		if len(plain) >= 100 && relay.kinds([4]byte{11, 0, 0, 1})["SRTP"] >= 100 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d pieces of the picture are found at the camera: that none is elsewhere proves little", len(plain))
		}
	}
	if n := relay.having(plain); n > 0 {
		t.Errorf("%d packets at the relay have a piece of the picture", n)
	}
	kinds := relay.kinds([4]byte{11, 0, 0, 1})
	fmt.Fprintf(t.Output(), "%-8s sees %v, and none of %d pieces of the picture\n", "relay", kinds, len(plain))
	if kinds["something else"] > 0 {
		t.Errorf("the relay sees %v", kinds)
	}
}
