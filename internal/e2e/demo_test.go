package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Limits that a busy machine keeps with room to spare: how long something takes
// is not what is tested. docs/performance.md has the figures.
const (
	startTimeout = time.Minute
	liveTimeout  = time.Minute
)

// demo starts the demo and returns it with the link it prints.
func demo(t *testing.T) (p *process, link string) {
	t.Helper()
	p = start(t, binary(t), "demo", "--listen", anyPort)
	return p, p.waitFor(t, `http://127\.0\.0\.1:\S+`, startTimeout)[0]
}

func TestDemo_ShowsLiveVideoInABrowser(t *testing.T) {
	t.Parallel()
	b := launch(t)
	_, link := demo(t)
	opened := time.Now()
	p := b.open("demo", link, pageOptions{})
	p.wait("!!e2e.video()", liveTimeout, nil)
	t.Logf("first picture %v after the page was opened", time.Since(opened).Round(time.Millisecond))
	p.waitState("live", liveTimeout)
	p.waitFrames(50, liveTimeout)

	var colours int
	p.eval("e2e.colours()", &colours)
	if colours < 8 {
		t.Errorf("the picture has %d colours; it should have bars of many", colours)
	}
	got := p.rtc()
	if !strings.Contains(got.SRTPCipher, "AEAD_AES_128_GCM") {
		t.Errorf("media is encrypted with %q, want AEAD_AES_128_GCM", got.SRTPCipher)
	}
	if got.Connections != 1 {
		t.Errorf("%d peer connections for one publisher", got.Connections)
	}
	if got.Codec != "video/H264" || got.Width != 1280 || got.Height != 720 {
		t.Errorf("got %s %dx%d", got.Codec, got.Width, got.Height)
	}
	t.Logf("statistics %+v", got)

	shot := p.screenshot("demo-light")
	t.Logf("see %s", shot)
	quiet(t, b)
}

func TestDemo_PixelsAreFreshAndCountUp(t *testing.T) {
	t.Parallel()
	b := launch(t)
	_, link := demo(t)
	p := b.open("stamps", link, pageOptions{})
	p.waitState("live", liveTimeout)
	p.waitFrames(50, liveTimeout) // the run through the cached GOP is over
	// A busy machine has moments in which pictures are late. If they always are, it is
	// not the machine's fault.
	last := 0
	for deadline := time.Now().Add(recoverTimeout); ; {
		stamps := p.stamps(50)
		var fresh int
		last, fresh = inOrder(t, last, stamps)
		why := late(p, stamps, fresh)
		if why == "" {
			return
		}
		t.Log(why)
		if time.Now().After(deadline) {
			t.Fatalf("at no time within %v did the page show what it should", recoverTimeout)
		}
	}
}

// inOrder fails if a picture comes after a later one, and counts those that the one
// before was not. last is the counter of the one before the stamps, and behind them.
func inOrder(t *testing.T, last int, stamps []*stamp) (_, fresh int) {
	t.Helper()
	for _, s := range stamps {
		if s == nil {
			continue
		}
		if s.Counter < last && last-s.Counter < 1<<23 { // the counter wraps at 2^24
			t.Errorf("frame %d after frame %d", s.Counter, last)
		}
		// On a busy machine the page is told of a frame when the next one is on
		// the screen already, and reads that one twice.
		if s.Counter != last {
			fresh++
		}
		last = s.Counter
	}
	return last, fresh
}

// late says what was not as it should be about how old pictures were and how many
// were fresh, and whether what the page says about itself agrees with the pixels.
func late(p *page, stamps []*stamp, fresh int) string {
	read := lags(stamps)
	if len(read) < len(stamps)*9/10 {
		return fmt.Sprintf("%d of %d stamps could be read", len(read), len(stamps))
	}
	p50, p95 := read[len(read)/2], read[len(read)*95/100]
	p.b.t.Logf("source to screen: p50 %.1f ms, p95 %.1f ms, max %.1f ms", p50, p95, read[len(read)-1])
	var latency float64
	p.wait("e2e.all('sl-player')[0].stats?.latencyMedianMs != null", liveTimeout, nil)
	p.eval("e2e.all('sl-player')[0].stats.latencyMedianMs", &latency)
	switch {
	case p50 <= 0 || p50 > 500:
		return fmt.Sprintf("the picture on the screen is %.0f ms old", p50)
	case fresh < len(stamps)/2:
		return fmt.Sprintf("only %d of %d pictures are new ones", fresh, len(stamps))
	case latency > p95+250:
		return fmt.Sprintf("the page shows a latency of %.0f ms, the pixels say %.0f", latency, p50)
	}
	return ""
}

func TestDemo_LooksRightInTheDarkAndOnAPhone(t *testing.T) {
	t.Parallel()
	b := launch(t)
	_, link := demo(t)
	for _, view := range []struct {
		name string
		o    pageOptions
	}{
		{"demo-dark", pageOptions{Dark: true}},
		{"demo-phone", pageOptions{Width: 390, Height: 844}},
	} {
		p := b.open(view.name, link, view.o)
		p.waitState("live", liveTimeout)
		p.wait("e2e.colours() > 8", liveTimeout, nil)
		var overflow bool
		p.eval("document.documentElement.scrollWidth > innerWidth", &overflow)
		if overflow {
			t.Errorf("%s: the page is wider than the window", view.name)
		}
		t.Logf("see %s", p.screenshot(view.name))
		p.close()
	}
	quiet(t, b)
}

func TestDemo_SeveralPagesWatchAtOnce(t *testing.T) {
	t.Parallel()
	b := launch(t)
	_, link := demo(t)
	var pages []*page
	for i := range 3 {
		pages = append(pages, b.open(fmt.Sprintf("viewer%d", i), link, pageOptions{}))
	}
	for _, p := range pages {
		p.waitState("live", liveTimeout)
	}
	for _, p := range pages {
		p.waitFrames(25, liveTimeout)
	}
	quiet(t, b)
}

// quiet fails if a page reported an error, for example a refused module or a
// violation of the content security policy.
func quiet(t *testing.T, b *browser) {
	t.Helper()
	for _, line := range b.printed() {
		if strings.Contains(line, "pageerror") || strings.Contains(line, "console error") {
			t.Errorf("the page reports: %s", line)
		}
	}
}
