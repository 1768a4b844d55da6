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
	t.Parallel()
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
	first, before, memory, began := p.counter(), p.rtc(), process.residentKB(t), time.Now()

	<-time.After(duration)

	p.waitState("live", liveTimeout)
	last, after, elapsed := p.counter(), p.rtc(), time.Since(began)
	// By their numbers, because the picture's maker leaves some out when the computer
	// is too slow.
	decoded, made := after.FramesDecoded-before.FramesDecoded, last-first
	grown := process.residentKB(t) - memory
	t.Logf("%v: %d of %d frames decoded, %d lost packets, %d KiB more memory than %d", elapsed.Round(time.Second),
		decoded, made, after.PacketsLost, grown, memory)
	if decoded < made*8/10 || made < int(duration.Seconds()) {
		t.Errorf("%d frames decoded in %v, %d were made", decoded, elapsed, made)
	}
	if after.Connections != before.Connections {
		t.Errorf("the page connected again: %d connections, then %d", before.Connections, after.Connections)
	}
	if grown > 32<<10 {
		t.Errorf("memory grew by %d KiB", grown)
	}
}

// counter waits for a picture whose number can be read.
func (p *page) counter() (n int) {
	p.b.t.Helper()
	p.wait("e2e.stamp().then((s) => s?.counter)", liveTimeout, &n)
	return n
}
