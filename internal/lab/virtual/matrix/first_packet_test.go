package matrix

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
)

// What lies between the viewer sending its offer and the first media packet
// reaching it, where a message of the signaling service takes as long as a packet.
func TestFirstPacket_ComesWithinSixOneWayDelays(t *testing.T) {
	const oneWay = 50 * time.Millisecond
	const budget = 6*oneWay + 100*time.Millisecond
	for _, c := range []cell{
		{camera: virtual.Public, viewer: virtual.Public},
		{camera: virtual.PortRestricted, viewer: virtual.Public},
		{camera: virtual.Public, viewer: virtual.PortRestricted},
		{camera: virtual.PortRestricted, viewer: virtual.PortRestricted},
		{camera: virtual.PortRestricted, viewer: virtual.CGNAT},
		{camera: virtual.AddressRestricted, viewer: virtual.Symmetric},
		{camera: virtual.Symmetric, viewer: virtual.AddressRestricted},
		{camera: virtual.Symmetric, viewer: virtual.Symmetric, mapping: true},
		{camera: virtual.IPv6, viewer: virtual.IPv6},
	} {
		c.where = apart
		t.Run(c.name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := c.prepare(t, oneWay)
				l := &timeline{m: r.meeting, oneWay: oneWay}
				r.world.Drop(l.see)
				r.check(r.dial(context.Background(), r.viewerOptions))
				elapse(time.Second)
				took := r.first()
				report(t, "first packet, %s: %.1f one-way delays: %v", c.name(), float64(took)/float64(oneWay), l)
				if took == 0 || took > budget {
					t.Errorf("the first packet came after %v, want at most %v", took, budget)
				}
				r.close()
			})
		})
	}
}
