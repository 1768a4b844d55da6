package matrix

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
)

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func TestAddressChange_ShowsForLessThanASecond(t *testing.T) {
	kinds := []virtual.Kind{virtual.Public, virtual.FullCone, virtual.AddressRestricted, virtual.PortRestricted, virtual.CGNAT}
	for _, who := range []string{"viewer", "camera"} {
		t.Run(who, func(t *testing.T) {
			var gaps []time.Duration
			for _, from := range kinds {
				for _, to := range kinds {
					synctest.Test(t, func(t *testing.T) {
						c := cell{camera: virtual.PortRestricted, viewer: virtual.PortRestricted, where: apart, turn: true}
						c.viewer = from
						if who == "camera" {
							c.camera, c.viewer = from, virtual.PortRestricted
						}
						p := c.play(t, cellDelay)
						host := p.viewer
						if who == "camera" {
							host = p.camera
						}
						moved := time.Now()
						host.Move(p.world.Network(to, virtual.NetworkOptions{}))
						elapse(10 * time.Second)
						gap := p.gap(moved)
						report(t, "%s moves, %s to %s: %v without media, then %s", who, from, to, gap, p.pair())
						if !p.plays() {
							t.Errorf("from %s to %s: no picture any more", from, to)
						}
						gaps = append(gaps, gap)
						p.close()
					})
				}
			}
			if m := median(gaps); m >= time.Second {
				t.Errorf("half of the gaps are %v and longer, want less than 1 s", m)
			} else {
				report(t, "%s moves: the median gap is %v, the longest %v", who, m, gaps[len(gaps)-1])
			}
		})
	}
}
