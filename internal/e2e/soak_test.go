package e2e

import (
	"os"
	"testing"
	"time"
)

// SIGHTLINE_SOAK says how long TestSoak watches; make soak sets it.
const soakEnv = "SIGHTLINE_SOAK"

// Watching for long costs no memory and loses no frames. Long is 15 s here, and
// 10 minutes with make soak.
func TestSoak_StaysLiveAndSmall(t *testing.T) {
	duration := 15 * time.Second
	if text := os.Getenv(soakEnv); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", soakEnv, err)
		}
	}
	b := launch(t)
	process, link := demo(t)
	p := b.open("soak", link, pageOptions{})
	p.waitState("live", liveTimeout)
	p.waitFrames(75, liveTimeout) // buffers have their size
	before, memory, began := p.rtc(), process.residentKB(t), time.Now()

	<-time.After(duration)

	p.waitState("live", 5*time.Second)
	after, elapsed := p.rtc(), time.Since(began)
	decoded, expected := after.FramesDecoded-before.FramesDecoded, int(elapsed.Seconds()*25)
	grown := process.residentKB(t) - memory
	t.Logf("%v: %d of about %d frames decoded, %d lost packets, %d KiB more memory than %d", elapsed.Round(time.Second),
		decoded, expected, after.PacketsLost, grown, memory)
	if decoded < expected*8/10 { // the picture's maker leaves frames out when the computer is too slow
		t.Errorf("%d frames decoded in %v, expected about %d", decoded, elapsed, expected)
	}
	if after.Connections != before.Connections {
		t.Errorf("the page connected again: %d connections, then %d", before.Connections, after.Connections)
	}
	if grown > 32<<10 {
		t.Errorf("memory grew by %d KiB", grown)
	}
}
