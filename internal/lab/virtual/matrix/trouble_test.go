package matrix

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
)

// Both sides notice that nothing will come any more, and free what they hold.
func TestCut_EndsTheSessionOnBothSides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cell{camera: virtual.PortRestricted, viewer: virtual.PortRestricted, where: apart}
		p := c.play(t, cellDelay)
		p.outage.Store(true)
		p.world.Cut()
		cut := time.Now()
		<-p.session.Done()
		report(t, "cut: the agent gave up after %v: %v", time.Since(cut), p.session.Err())
		<-p.conn.Done()
		report(t, "cut: the viewer gave up after %v: %v", time.Since(cut), p.conn.Err())
		if time.Since(cut) > 3*time.Minute {
			t.Errorf("the last one noticed after %v", time.Since(cut))
		}
		if p.session.Err() == nil || p.conn.Err() == nil {
			t.Error("nobody is told why")
		}
		p.close()
	})
}

func TestSTUNServerDead_OthersDo(t *testing.T) {
	for _, tt := range []struct {
		name     string
		dead     int // of the two servers
		c        cell
		expected string
	}{
		{"one of two", 1, cell{camera: virtual.PortRestricted, viewer: virtual.PortRestricted}, direct},
		{"both, and no relay", 2, cell{camera: virtual.PortRestricted, viewer: virtual.PortRestricted}, failed},
		{"both, to a mapped port", 2, cell{camera: virtual.PortRestricted, viewer: virtual.Symmetric, mapping: true}, direct},
		{"both, to a public address", 2, cell{camera: virtual.Public, viewer: virtual.Symmetric}, direct},
		{"both, from a public address", 2, cell{camera: virtual.Symmetric, viewer: virtual.Public}, direct},
	} {
		tt.c.where = apart
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.c.dead = tt.dead
				p := tt.c.prepare(t, cellDelay)
				ctx, cancel := context.WithTimeout(context.Background(), cellPatience)
				defer cancel()
				got := failed
				asked := time.Now()
				if err := p.dial(ctx, p.viewerOptions); err == nil {
					elapse(time.Second)
					got = p.path()
					if d := p.first() + p.offeredAfter(asked); d > 8*cellDelay+200*time.Millisecond {
						t.Errorf("the dead server cost time: the picture came after %v", d)
					}
				}
				report(t, "STUN dead, %s: %s, %v after the click", tt.name, got, p.first()+p.offeredAfter(asked))
				if got != tt.expected {
					t.Errorf("%s, want %s", got, tt.expected)
				}
				p.close()
			})
		})
	}
}

func TestFarAndLossy_PlaysOn(t *testing.T) {
	for _, c := range []cell{
		{camera: virtual.PortRestricted, viewer: virtual.PortRestricted},
		{camera: virtual.Symmetric, viewer: virtual.Symmetric, turn: true},
	} {
		c.where = apart
		t.Run(c.name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const oneWay = 200 * time.Millisecond
				p := c.prepare(t, oneWay)
				p.world.Lose(0.1)
				p.check(p.dial(context.Background(), p.viewerOptions))
				start := time.Now()
				elapse(30 * time.Second)
				s := p.conn.Stats()
				report(t, "200 ms and 10 %% loss, %s: first packet after %v, longest gap %v, %d packets, %d lost", c.name(), p.first(), p.gap(start), s.Tracks[0].Packets, s.Tracks[0].Lost)
				if p.path() != c.expected() || !p.plays() {
					t.Errorf("%s by %s", p.path(), p.pair())
				}
				if gap := p.gap(start); gap > 5*time.Second {
					t.Errorf("%v without a packet", gap)
				}
				p.close()
			})
		})
	}
}
