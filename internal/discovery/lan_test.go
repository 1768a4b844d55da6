package discovery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/sightline-cam/sightline/internal/identity"
)

func newPeer(t testing.TB) identity.PeerID {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id.PeerID()
}

// background runs f until the test is over, or stop is called; f gets a context
// that ends then.
func background(t *testing.T, f func(context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { f(ctx) })
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

func advertise(t *testing.T, l *LAN, s Service) (stop func()) {
	t.Helper()
	return background(t, func(ctx context.Context) {
		if err := l.Advertise(ctx, s); err != nil {
			t.Errorf("advertise: %v", err)
		}
	})
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func wait(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // virtual time
	synctest.Wait()
}

func TestFind_AnAgentIsFoundByItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		agent, _ := n.lan(t, "192.168.1.5")
		other, _ := n.lan(t, "192.168.1.6")
		viewer, _ := n.lan(t, "192.168.1.7")
		want := Service{Peer: newPeer(t), Port: 8788, TLS: true, UDP: 40000}
		advertise(t, agent, want)
		advertise(t, other, Service{Peer: newPeer(t), Port: 1})
		wait(5 * time.Second) // the announcements are over
		began := time.Now()
		got, err := viewer.Find(within(t, 5*time.Second), want.Peer)
		if err != nil {
			t.Fatal(err)
		}
		want.Addresses = []netip.Addr{netip.MustParseAddr("192.168.1.5")}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Error(diff)
		}
		if took := time.Since(began); took > answerDelay+answerJitter {
			t.Errorf("it took %v", took)
		}
		// Who is looked for is not said.
		for _, m := range n.packets() {
			for _, q := range m.questions {
				if q.name != serviceName {
					t.Errorf("asked for %s", q.name)
				}
			}
		}
	})
}

func TestFind_NobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		viewer, _ := n.lan(t, "192.168.1.7")
		_, err := viewer.Find(within(t, 10*time.Second), newPeer(t))
		if !errors.Is(err, ErrNotFound) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got := len(n.packets()); got != 4 { // at 0, 1, 3 and 7 s
			t.Errorf("asked %d times", got)
		}
	})
}

func TestBrowse_TellsOfEveryChangeAndOfAReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		agent, _ := n.lan(t, "192.168.1.5")
		viewer, _ := n.lan(t, "192.168.1.7")
		var found []Service
		background(t, func(ctx context.Context) {
			if err := viewer.Browse(ctx, "", func(s Service) { found = append(found, s) }); err != nil {
				t.Error(err)
			}
		})
		peer := newPeer(t)
		for i, port := range []uint16{1, 2, 2} {
			stop := advertise(t, agent, Service{Peer: peer, Port: port})
			wait(10 * time.Second)
			stop()
			wait(10 * time.Second)
			if len(found) != i+1 || found[i].Port != port {
				t.Fatalf("found %+v", found)
			}
		}
	})
}

// The first answer may be somebody else's. It hides the agent's own from nobody
// who goes on looking.
func TestBrowse_ALieDoesNotHideTheAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		agent, _ := n.lan(t, "192.168.1.5")
		liar, _ := n.lan(t, "192.168.1.66")
		viewer, _ := n.lan(t, "192.168.1.7")
		peer := newPeer(t)
		advertise(t, agent, Service{Peer: peer, Port: 8788})
		advertise(t, liar, Service{Peer: peer, Port: 666})
		ports := map[uint16]bool{}
		background(t, func(ctx context.Context) {
			_ = viewer.Browse(ctx, peer, func(s Service) { ports[s.Port] = true })
		})
		wait(10 * time.Second)
		if !ports[8788] {
			t.Errorf("found %v", ports)
		}
	})
}

func TestBrowse_AFloodOfAgentsFindsItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		viewer, w := n.lan(t, "192.168.1.7")
		found := map[identity.PeerID]int{}
		background(t, func(ctx context.Context) {
			_ = viewer.Browse(ctx, "", func(s Service) { found[s.Peer] = len(s.Addresses) })
		})
		synctest.Wait()
		for range 3 * maxFound {
			s := Service{Peer: newPeer(t), Port: 1}
			for i := range 2 * maxAddresses {
				p, err := s.answer(reply{wants: wantAll, addresses: []netip.Addr{netip.AddrFrom4([4]byte{192, 168, 1, byte(i + 1)})}})
				if err != nil {
					t.Fatal(err)
				}
				w.deliver(p, netip.MustParseAddrPort("192.168.1.66:5353"))
			}
			synctest.Wait()
		}
		if len(found) != maxFound {
			t.Errorf("found %d", len(found))
		}
		for _, addresses := range found {
			if addresses != maxAddresses {
				t.Errorf("%d addresses", addresses)
			}
		}
	})
}

func TestAdvertise_SaysNothingBesideWhereTheAgentIs(t *testing.T) {
	s := Service{Peer: newPeer(t), Port: 8788, TLS: true, UDP: 40000}
	p, err := s.answer(reply{wants: wantAll | wantKinds, addresses: []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("fe80::1")}})
	if err != nil {
		t.Fatal(err)
	}
	var m dnsmessage.Message
	if err := m.Unpack(p); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range append(m.Answers, m.Additionals...) {
		got = append(got, strings.ReplaceAll(fmt.Sprintf("%s %d %+v", a.Header.Name.String(), a.Header.TTL, a.Body), string(s.Peer), "ID"))
	}
	want := []string{
		"_services._dns-sd._udp.local. 4500 &{PTR:_sightline._tcp.local.}",
		"_sightline._tcp.local. 4500 &{PTR:ID._sightline._tcp.local.}",
		"ID._sightline._tcp.local. 120 &{Priority:0 Weight:0 Port:8788 Target:ID.local.}",
		"ID._sightline._tcp.local. 4500 &{TXT:[v=1 id=ID udp=40000 tls=1]}",
		"ID.local. 120 &{A:[192 168 1 5]}",
		"ID.local. 120 &{AAAA:[254 128 0 0 0 0 0 0 0 0 0 0 0 0 0 1]}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(p) > 512 {
		t.Errorf("%d bytes", len(p))
	}
}

func TestAdvertise_AnnouncesTwiceAndTakesItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		agent, _ := n.lan(t, "192.168.1.5")
		stop := advertise(t, agent, Service{Peer: newPeer(t), Port: 1})
		wait(time.Minute)
		if got := n.answers(); got != announcements {
			t.Errorf("announced %d times", got)
		}
		if err := agent.Advertise(t.Context(), Service{Peer: newPeer(t)}); !errors.Is(err, ErrAdvertised) {
			t.Errorf("a second one: %v", err)
		}
		stop()
		all := n.packets()
		for _, r := range all[len(all)-1].records {
			if r.ttl != 0 {
				t.Errorf("not taken back: %+v", r)
			}
		}
		if got := n.answers(); got != announcements+1 {
			t.Errorf("%d answers", got)
		}
	})
}

func TestAdvertise_ANewInterfaceIsToldToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		agent, w := n.lan(t, "192.168.1.5")
		var now []attachment
		var mu sync.Mutex
		set := func(a ...attachment) {
			mu.Lock()
			defer mu.Unlock()
			now = a
		}
		agent.scan = func() ([]attachment, error) {
			mu.Lock()
			defer mu.Unlock()
			return now, nil
		}
		peer := newPeer(t)
		advertise(t, agent, Service{Peer: peer, Port: 1})
		wait(time.Minute)
		if got := n.answers(); got != 0 {
			t.Fatalf("%d answers without an interface", got)
		}
		set(attached("wlan0", "192.168.1.5/24"))
		wait(time.Minute)
		set(attached("wlan0", "192.168.1.50/24")) // another lease
		wait(time.Minute)
		if got := n.answers(); got != 2*announcements {
			t.Errorf("%d answers", got)
		}
		if all := n.packets(); !strings.Contains(addressesIn(all[len(all)-1]), "192.168.1.50") {
			t.Errorf("the last one was %+v", all[len(all)-1])
		}
		set()
		wait(time.Minute)
		w.mu.Lock()
		left := len(w.members)
		w.mu.Unlock()
		if left != 0 {
			t.Errorf("still a member on %d interfaces", left)
		}
	})
}

func addressesIn(m message) string {
	var out []string
	for _, r := range m.records {
		out = append(out, r.addr.String())
	}
	return strings.Join(out, " ")
}

func TestAdvertise_AnswersAreFewHoweverManyAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		agent, w := n.lan(t, "192.168.1.5")
		_, asker := n.lan(t, "192.168.1.7")
		advertise(t, agent, Service{Peer: newPeer(t), Port: 1})
		wait(time.Minute)
		before := n.answers()
		question, err := ask(serviceName, dnsmessage.TypePTR)
		if err != nil {
			t.Fatal(err)
		}
		toOne := bytes.Clone(question)
		toOne[len(toOne)-2] |= 0x80
		for range 100 {
			w.deliver(question, asker.addr)
			w.deliver(toOne, asker.addr)
			wait(100 * time.Millisecond)
		}
		if got := n.answers() - before; got < 5 || got > 11 {
			t.Errorf("%d answers to all in 10 s", got)
		}
		asker.mu.Lock()
		defer asker.mu.Unlock()
		if got := len(asker.direct); got != 100 {
			t.Errorf("%d answers to one", got)
		}
	})
}

func TestAdvertise_AFloodOfQuestionsByUnicastIsNotAmplified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		agent, w := n.lan(t, "192.168.1.5")
		_, asker := n.lan(t, "192.168.1.7")
		advertise(t, agent, Service{Peer: newPeer(t), Port: 1})
		wait(time.Minute)
		question, err := ask(serviceName, dnsmessage.TypePTR)
		if err != nil {
			t.Fatal(err)
		}
		question[len(question)-2] |= 0x80
		for range 1000 {
			w.deliver(question, asker.addr)
		}
		synctest.Wait()
		asker.mu.Lock()
		defer asker.mu.Unlock()
		if got := len(asker.direct); got > unicastBurst {
			t.Errorf("%d answers", got)
		}
	})
}

// Only neighbours are answered, whatever the question is.
func TestAdvertise_TheInternetIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		agent, w := n.lan(t, "192.168.1.5")
		far := n.wireAt("203.0.113.9")
		peer := newPeer(t)
		advertise(t, agent, Service{Peer: peer, Port: 1})
		wait(time.Minute)
		before := n.answers()
		for _, kind := range []dnsmessage.Type{dnsmessage.TypePTR, dnsmessage.TypeALL} {
			for _, name := range []string{serviceName, enumerationName, instanceName(peer), hostName(peer)} {
				question, err := ask(name, kind)
				if err != nil {
					t.Fatal(err)
				}
				w.deliver(question, far.addr)
				w.deliver(question, netip.AddrPortFrom(far.addr.Addr(), 40000))
			}
		}
		wait(10 * time.Second)
		far.mu.Lock()
		defer far.mu.Unlock()
		if got := n.answers() - before; got != 0 || len(far.direct) != 0 {
			t.Errorf("%d answers to all, %d to one", got, len(far.direct))
		}
	})
}

func TestAdvertise_WhoKnowsIsNotTold(t *testing.T) {
	s := Service{Peer: newPeer(t)}
	knows := func(ttl uint32) []record {
		return []record{{name: serviceName, kind: dnsmessage.TypePTR, ttl: ttl, target: instanceName(s.Peer)}}
	}
	if s.known(wantService, knows(otherTTL)) != 0 || s.known(wantService, knows(otherTTL/2-1)) != wantService {
		t.Error("the answers that are known are not left out, or too many are")
	}
}

// A program that speaks plain DNS has its question answered to itself.
func TestAdvertise_PlainDNS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		agent, w := n.lan(t, "192.168.1.5")
		peer := newPeer(t)
		advertise(t, agent, Service{Peer: peer, Port: 1})
		plain := n.wireAt("192.168.1.7")
		plain.addr = netip.MustParseAddrPort("192.168.1.7:40000")
		wait(time.Minute)
		question, err := ask(hostName(peer), dnsmessage.TypeA)
		if err != nil {
			t.Fatal(err)
		}
		question[0], question[1] = 0x12, 0x34
		w.deliver(question, plain.addr)
		synctest.Wait()
		var m dnsmessage.Message
		plain.mu.Lock()
		defer plain.mu.Unlock()
		if len(plain.direct) != 1 {
			t.Fatalf("%d answers", len(plain.direct))
		}
		if err := m.Unpack(plain.direct[0]); err != nil {
			t.Fatal(err)
		}
		if m.ID != 0x1234 || len(m.Questions) != 1 || len(m.Answers) != 1 || m.Answers[0].Header.TTL > legacyTTL || m.Answers[0].Header.Class != dnsmessage.ClassINET {
			t.Errorf("%+v", m)
		}
	})
}

func TestClose_EndsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		l, _ := n.lan(t, "192.168.1.5")
		errs := make(chan error, 3)
		go func() { errs <- l.Advertise(t.Context(), Service{Peer: newPeer(t)}) }()
		go func() { errs <- l.Browse(t.Context(), "", func(Service) {}) }()
		go func() {
			_, err := l.Resolve(t.Context(), "2b7d0b0e-6f3c-4d4e-9a59-0d6a5c1f2e3d.local")
			errs <- err
		}()
		synctest.Wait()
		for range 2 {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		for range 3 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v", err)
			}
		}
		if err := l.Browse(t.Context(), "", nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
