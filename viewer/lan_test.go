package viewer

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/discovery"
	"github.com/sightline-cam/sightline/signaling"
)

func TestFirstSession_ThePublisherItselfDecides(t *testing.T) {
	session := dialResult{session: &Session{}}
	refusal := dialResult{err: &RejectedError{Code: signaling.RejectForbidden}}
	failed := dialResult{err: errors.New("no answer from the server")}
	missing := dialResult{err: discovery.ErrNotFound}
	for name, tt := range map[string]struct {
		server, lan  dialResult
		want         dialResult
		endsTheOther bool
	}{
		"the server's":      {session, missing, session, true},
		"the network's":     {failed, session, session, true},
		"refused there":     {refusal, missing, refusal, true},
		"refused here":      {failed, refusal, refusal, true},
		"found by one":      {refusal, session, session, true},
		"neither":           {failed, missing, dialResult{err: failed.err}, false},
		"neither, no start": {dialResult{err: errNoServer}, missing, dialResult{err: discovery.ErrNotFound}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server, lan := make(chan dialResult, 1), make(chan dialResult, 1)
			server <- tt.server
			lan <- tt.lan
			ended := false
			s, err := firstSession(func() { ended = true }, server, lan)
			if s != tt.want.session || !errors.Is(err, tt.want.err) {
				t.Errorf("got %v, %v", s, err)
			}
			if !tt.endsTheOther && ended {
				t.Error("nothing was decided, and the other attempt was ended")
			}
		})
	}
}

func TestDialFirst_AnAddressThatIsOldIsNotTheEnd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	c, err := dialFirst(t.Context(), []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")}, port)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if _, err := dialFirst(t.Context(), []netip.Addr{netip.MustParseAddr("127.0.0.1")}, "1"); err == nil {
		t.Error("connected to nobody")
	}
}

// Whoever answers in the publisher's name must not have the viewer send packets
// wherever it likes.
func TestServers_ANeighbourNamesNone(t *testing.T) {
	mine := ICEServer{URLs: []string{"stun:mine.example:3478"}}
	for neighbour, want := range map[bool]int{false: 2, true: 1} {
		o := Options{ICEServers: []ICEServer{mine}, neighbour: neighbour}
		if got := o.servers([]string{"stun:elsewhere.example:53"}); len(got) != want || got[want-1].URLs[0] != mine.URLs[0] {
			t.Errorf("of a neighbour %v: %v", neighbour, got)
		}
	}
}

func TestDial_WithoutAServerThereMustBeANetwork(t *testing.T) {
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Dial(t.Context(), Options{Identity: id, Peer: id.PeerID()})
	if err == nil || !strings.Contains(err.Error(), "no signaling server") {
		t.Errorf("got %v", err)
	}
}
