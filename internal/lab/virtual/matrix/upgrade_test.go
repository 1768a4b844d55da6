package matrix

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
)

// A path through a relay is left as soon as there is a direct one.
func TestUpgrade_FromRelayToDirectShowsForLessThanATenthOfASecond(t *testing.T) {
	for _, c := range []cell{
		{camera: virtual.PortRestricted, viewer: virtual.PortRestricted},
		{camera: virtual.FullCone, viewer: virtual.Symmetric},
		{camera: virtual.Symmetric, viewer: virtual.FullCone},
		{camera: virtual.Symmetric, viewer: virtual.Symmetric, mapping: true},
	} {
		c.where, c.turn = apart, true
		t.Run(c.name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := c.prepare(t, cellDelay)
				servers := func(a virtual.Packet) bool {
					return a.From.Addr() == p.turn.Addr || a.To.Addr() == p.turn.Addr || a.From.Addr() == p.stun.Addr || a.To.Addr() == p.stun.Addr
				}
				p.world.Drop(func(a virtual.Packet) bool { return !servers(a) })
				p.check(p.dial(context.Background(), p.viewerOptions))
				elapse(3 * time.Second)
				if p.path() != relayed || !p.plays() {
					t.Fatalf("%s by %s while only the relay can be reached", p.path(), p.pair())
				}
				p.world.Drop(nil)
				mended := time.Now()
				for p.path() == relayed && time.Since(mended) < 2*time.Minute {
					elapse(100 * time.Millisecond)
				}
				took := time.Since(mended)
				elapse(2 * time.Second)
				gap := p.gap(mended)
				report(t, "upgrade, %s: direct %v after it became possible, the longest gap was %v", c.name(), took, gap)
				if p.path() != direct {
					t.Errorf("still %s by %s", p.path(), p.pair())
				}
				if gap >= 100*time.Millisecond+frameTime {
					t.Errorf("%v without media", gap)
				}
				p.close()
			})
		})
	}
}
