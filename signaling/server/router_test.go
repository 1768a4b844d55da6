package server

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// bench is a router with connections that nobody reads.
type bench struct {
	*router
	t   testing.TB
	srv *Server
}

func newBench(t testing.TB, o Options) *bench {
	t.Helper()
	o.setDefaults()
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{opts: o, log: o.Logger, metrics: m}
	return &bench{router: newRouter(&s.opts, m), t: t, srv: s}
}

func (b *bench) join(id identity.PeerID, resume signaling.Token) (*conn, *signaling.Registered) {
	b.t.Helper()
	c := newConn(b.srv, nil, nil, "", nil)
	if _, err := b.register(c, id, resume, "a.b.c"); err != nil {
		b.t.Fatal(err)
	}
	f, err := signaling.DecodeFrame((<-c.out.queue).data)
	if err != nil {
		b.t.Fatal(err)
	}
	return c, f.(*signaling.Registered)
}

func (b *bench) pass(from, to identity.PeerID, payload string) signaling.ErrorCode {
	return b.route(to, parcel{data: []byte(payload), from: from, ref: 1})
}

func payloads(c *conn) []string {
	var got []string
	for _, m := range c.out.messages() {
		got = append(got, string(m.data))
	}
	return got
}

func ended(c *conn) string {
	select {
	case <-c.ended:
		return c.ending.reason
	default:
		return ""
	}
}

func TestRouter_TakingOverMovesWhatWaits(t *testing.T) {
	b := newBench(t, Options{})
	a, id := newID(t).PeerID(), newID(t).PeerID()
	first, _ := b.join(id, "")
	b.pass(a, id, "1")
	b.pass(a, id, "2")
	first.fail(signaling.CodeRateLimited, 3) // about the old connection: not moved
	second, _ := b.join(id, "")
	b.pass(a, id, "3")
	if diff := cmp.Diff([]string{"1", "2", "3"}, payloads(second)); diff != "" {
		t.Error(diff)
	}
	if ended(first) != endDisplaced().reason || ended(second) != "" {
		t.Errorf("first: %q, second: %q", ended(first), ended(second))
	}
	b.unregister(time.Unix(0, 0), first, id, true) // the displaced one ends late
	if code := b.pass(a, id, "4"); code != "" || len(payloads(second)) != 1 {
		t.Error("the second connection was unregistered by the first:", code)
	}
}

func TestRouter_HoldsWhatWaitedAndForgetsInTime(t *testing.T) {
	b := newBench(t, Options{HoldFor: 30 * time.Second, HoldMessages: 3})
	now := time.Unix(1000, 0)
	aID, id := newID(t).PeerID(), newID(t).PeerID()
	a, _ := b.join(aID, "")
	c, reg := b.join(id, "")
	b.pass(aID, id, "1")
	b.unregister(now, c, id, true)
	for i, want := range []signaling.ErrorCode{"", "", signaling.CodeServerBusy} {
		if code := b.pass(aID, id, fmt.Sprint(i+2)); code != want {
			t.Errorf("message %d: %q", i+2, code)
		}
	}
	b.expire(now.Add(30*time.Second - 1))
	c, again := b.join(id, reg.Resume)
	if diff := cmp.Diff([]string{"1", "2", "3"}, payloads(c)); diff != "" || !again.Resumed {
		t.Error(again.Resumed, diff)
	}
	b.pass(aID, id, "5")
	b.unregister(now, c, id, true)
	b.expire(now.Add(30 * time.Second))
	if code := b.pass(aID, id, "6"); code != signaling.CodeUnreachable {
		t.Error("after the time:", code)
	}
	f, err := signaling.DecodeFrame((<-a.out.queue).data)
	if e, ok := f.(*signaling.ServerError); err != nil || !ok || e.Code != signaling.CodeUnreachable {
		t.Errorf("the sender was told %+v", f)
	}
	if len(b.peers) != 1 || b.lost.Len() != 0 || b.heldBytes != 0 {
		t.Errorf("%d peers, %d lost, %d bytes left over", len(b.peers), b.lost.Len(), b.heldBytes)
	}
}

func TestRouter_HoldsABoundedNumberOfBytes(t *testing.T) {
	b := newBench(t, Options{HoldBytes: 10, HoldTotalBytes: 15})
	from := newID(t).PeerID()
	var ids []identity.PeerID
	for range 2 {
		id := newID(t).PeerID()
		c, _ := b.join(id, "")
		b.unregister(time.Unix(0, 0), c, id, true)
		ids = append(ids, id)
	}
	for i, step := range []struct {
		to   int
		size int
		want signaling.ErrorCode
	}{{0, 10, ""}, {0, 1, signaling.CodeServerBusy}, {1, 6, signaling.CodeServerBusy}, {1, 5, ""}, {1, 1, signaling.CodeServerBusy}} {
		if code := b.pass(from, ids[step.to], fmt.Sprintf("%0*d", step.size, 0)); code != step.want {
			t.Errorf("step %d: %q, want %q", i, code, step.want)
		}
	}
	b.join(ids[0], "")
	if code := b.pass(from, ids[1], "12345"); code != "" {
		t.Error("room is not given back:", code)
	}
}

func TestRouter_ALeavingPeerIsOfflineAtOnce(t *testing.T) {
	b := newBench(t, Options{})
	aID, id := newID(t).PeerID(), newID(t).PeerID()
	b.join(aID, "")
	c, _ := b.join(id, "")
	b.pass(aID, id, "1")
	b.unregister(time.Unix(0, 0), c, id, false)
	if code := b.pass(aID, id, "2"); code != signaling.CodeUnreachable {
		t.Error(code)
	}
	if len(b.peers) != 1 || b.lost.Len() != 0 {
		t.Errorf("%d peers, %d lost", len(b.peers), b.lost.Len())
	}
}

func BenchmarkRoute(b *testing.B) {
	for name, reachable := range map[string]bool{"delivered": true, "unreachable": false} {
		b.Run(name, func(b *testing.B) {
			r := newBench(b, Options{})
			from, to := newID(b).PeerID(), newID(b).PeerID()
			c, _ := r.join(newID(b).PeerID(), "")
			if reachable {
				c, _ = r.join(to, "")
			}
			m := parcel{data: make([]byte, 5000), from: from}
			b.ReportAllocs()
			for b.Loop() {
				r.route(to, m)
				if reachable {
					c.out.taken(<-c.out.queue)
				}
			}
		})
	}
}
