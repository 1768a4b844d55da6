package freeport

import (
	"net"
	"testing"
)

func TestGet_GivesEachPortOnceAndNoneThatIsOpen(t *testing.T) {
	seen := map[int]bool{}
	for range 200 {
		port := Get(t)
		if seen[port] || port < first || port >= first+ports {
			t.Fatalf("port %d, after %d others", port, len(seen))
		}
		seen[port] = true
		l, err := net.Listen("tcp", address(port))
		if err != nil {
			t.Fatal(err)
		}
		if isFree(port) {
			t.Errorf("port %d is open and counts as free", port)
		}
		_ = l.Close()
		c, err := net.ListenPacket("udp", address(port))
		if err != nil {
			t.Fatal(err)
		}
		if isFree(port) {
			t.Errorf("port %d is open for UDP and counts as free", port)
		}
		_ = c.Close()
	}
}
