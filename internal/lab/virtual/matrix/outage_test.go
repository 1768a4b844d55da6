package matrix

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
)

// After an outage, of the signaling service too, the picture comes back: in the
// same session if both sides have held on to it, else in a new one.
func TestOutage_IsSurvived(t *testing.T) {
	for _, c := range []cell{
		{camera: virtual.PortRestricted, viewer: virtual.PortRestricted},
		{camera: virtual.Symmetric, viewer: virtual.Symmetric, turn: true},
		{camera: virtual.Public, viewer: virtual.Symmetric},
	} {
		c.where = apart
		for _, tt := range []struct {
			length, patience time.Duration
			same             bool // the session goes on
		}{
			{2 * time.Second, 3 * time.Second, true},
			{10 * time.Second, 6 * time.Second, true},
			{25 * time.Second, 6 * time.Second, true},
			{32 * time.Second, 10 * time.Second, false}, // consent has expired while the wire was cut: see meeting.close
			{2 * time.Minute, 6 * time.Second, false},
		} {
			t.Run(fmt.Sprintf("%s %v", c.name(), tt.length), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := c.play(t, cellDelay)
					first, _ := p.ends()
					p.outage.Store(true)
					p.world.Cut()
					elapse(tt.length)
					p.outage.Store(false)
					p.world.Mend()
					mended := time.Now()
					for time.Since(mended) < time.Minute && !p.playsSince(mended) {
						if conn, _ := p.ends(); conn == nil || conn.Err() != nil {
							p.redial()
						}
						elapse(100 * time.Millisecond)
					}
					took := time.Since(mended)
					conn, _ := p.ends()
					report(t, "outage of %v, %s: the picture is back %v after the network, in the same session: %v", tt.length, c.name(), took, conn == first)
					if took > tt.patience {
						t.Errorf("the picture came back after %v, want %v", took, tt.patience)
					}
					if tt.same && conn != first {
						t.Error("the session was lost")
					}
					p.close()
				})
			})
		}
	}
}
