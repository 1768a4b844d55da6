package peer

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/gate"
)

func TestTCPLimit_OneNetworkCannotTakeEveryPlace(t *testing.T) {
	for _, pattern := range []string{"203.0.113.7", "2001:db8::%x"} {
		l := newTCPLimit(nil, maxTCP)
		taken := 0
		for i := range maxTCP {
			text := pattern
			if strings.Contains(pattern, "%") {
				text = fmt.Sprintf(pattern, i+1)
			}
			if l.take(gate.Prefix(netip.MustParseAddr(text))) {
				taken++
			}
		}
		if taken != tcpPerAddress {
			t.Errorf("%s: %d connections, want %d", pattern, taken, tcpPerAddress)
		}
	}
}
