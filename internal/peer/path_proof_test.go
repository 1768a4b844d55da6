package peer

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/transport/v4/vnet"
)

// nominations keeps what passes of a viewer's requests that nominate a path.
type nominations struct {
	mu   sync.Mutex
	last []byte
}

func (n *nominations) see(c vnet.Chunk) {
	m := &stun.Message{Raw: slices.Clone(c.UserData())}
	if !stun.IsMessage(m.Raw) || m.Decode() != nil || m.Type != stun.BindingRequest || !m.Contains(stun.AttrUseCandidate) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = m.Raw
}

func (n *nominations) captured() []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last
}

// A request that somebody overheard and sends again, or that a viewer sends in
// another one's name, moves nothing: only an answer to a fresh check does.
func TestSession_SendsNothingToWhomARepeatedRequestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard nominations
		var stray atomic.Int64
		lose := func(c vnet.Chunk) bool {
			heard.see(c)
			if strings.HasPrefix(c.DestinationAddr().String(), "192.0.2.66:") && isRTP(c.UserData()) {
				stray.Add(1)
			}
			return false
		}
		withViewer(t, 20*time.Millisecond, lose, func(w *watching) {
			third := w.wire.host(t, "192.0.2.66")
			from, err := third.ListenPacket("udp4", "192.0.2.66:7000")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = from.Close() }()
			w.play(50)
			w.conn.round(func(pathRank) bool { return true }, true, roundTime)
			p := heard.captured()
			if p == nil {
				t.Error("no nomination was seen")
				return
			}
			for range 40 {
				if _, err := from.WriteTo(p, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 5000}); err != nil {
					t.Fatal(err)
				}
				w.play(20)
			}
			if n := stray.Load(); n > 0 {
				t.Errorf("%d packets of media went to a stranger", n)
			}
			if got := len(w.received()); got != 1+50+40*20 {
				t.Errorf("%d of %d frames arrived", got, 1+50+40*20)
			}
			if err := w.session.Err(); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestSession_OfADirectCallFollowsNoRepeatedRequestEither(t *testing.T) {
	withDoor(t, func(t *testing.T, w *wire, d *doorman) {
		third := w.host(t, "192.0.2.66")
		from, err := third.ListenPacket("udp4", "192.0.2.66:7000")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = from.Close() }()
		var heard nominations
		var stray atomic.Int64
		w.lose(func(c vnet.Chunk) bool {
			heard.see(c)
			if strings.HasPrefix(c.DestinationAddr().String(), "192.0.2.66:") && isRTP(c.UserData()) {
				stray.Add(1)
			}
			return false
		})
		units := NewUnitReader()
		conn, err := d.dial(t.Context(), t, w, func(o *DialOptions, _ *DirectDial) { o.OnTrack = units.AddTrack })
		if err != nil {
			t.Fatal(err)
		}
		watched := &watching{stream: newTestStream(1)}
		watched.publish(true, 20000)
		if err := conn.AddCameras(t.Context(), 1, false, func(ctx context.Context, offer string, _ []Section) (string, error) {
			return d.session.Renegotiate(ctx, Offer{SDP: offer, Pick: func(string, string) Stream { return watched.stream }})
		}); err != nil {
			t.Fatal(err)
		}
		var reading sync.WaitGroup
		got := 0
		reading.Go(func() {
			for {
				if _, _, err := units.Read(t.Context()); err != nil {
					return
				}
				got++
			}
		})
		watched.play(20)
		conn.round(func(pathRank) bool { return true }, true, roundTime)
		p := heard.captured()
		if p == nil {
			t.Error("no nomination was seen")
		}
		for range 40 {
			if _, err := from.WriteTo(p, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 5000}); err != nil {
				t.Error(err)
			}
			watched.play(20)
		}
		if n := stray.Load(); n > 0 {
			t.Errorf("%d packets of media went to a stranger", n)
		}
		if err := d.session.Err(); err != nil {
			t.Error(err)
		}
		w.cut()
		_ = conn.Close()
		units.End()
		reading.Wait()
		if want := 1 + 20 + 40*20; got != want {
			t.Errorf("%d of %d frames arrived", got, want)
		}
	})
}

// searches counts how often a viewer looked for a path.
type searches struct{ n atomic.Int64 }

func (s *searches) Enabled(_ context.Context, l slog.Level) bool { return l == slog.LevelInfo }
func (s *searches) WithAttrs([]slog.Attr) slog.Handler           { return s }
func (s *searches) WithGroup(string) slog.Handler                { return s }

// Handle implements slog.Handler.
func (s *searches) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "looking for a path" {
		s.n.Add(1)
	}
	return nil
}

func TestConn_AStreamThatPausesIsNoLostPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withViewer(t, 20*time.Millisecond, nil, func(w *watching) {
			w.play(50)
			elapse(30 * time.Second) // the camera is paused
			if n := w.seeks.n.Load(); n > 1 {
				t.Errorf("looked for a path %d times during one pause", n)
			}
		})
	})
}

func TestConn_AFrameASecondIsNoLostPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withViewer(t, 20*time.Millisecond, nil, func(w *watching) {
			for range 20 {
				elapse(1100 * time.Millisecond)
				w.publish(false, 9000)
			}
			if n := w.seeks.n.Load(); n > 0 {
				t.Errorf("looked for a path %d times", n)
			}
		})
	})
}
