package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// stamp is what the test picture says about itself, read from the pixels of
// one presented frame.
type stamp struct {
	TimeMs    float64 `json:"timeMs"`  // capture time, milliseconds since 1970
	Counter   int     `json:"counter"` // of the frame, mod 2^24
	LagMs     float64 `json:"lagMs"`   // from capture to presentation, one clock
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	Presented int     `json:"presented"` // frames presented so far
}

// rtc is what WebRTC reports about a page's connection; see probe.mjs.
type rtc struct {
	Connections         int     `json:"connections"`
	Live                int     `json:"live"`
	State               string  `json:"state"`
	SRTPCipher          string  `json:"srtpCipher"`
	DTLSRole            string  `json:"dtlsRole"`
	FramesDecoded       int     `json:"framesDecoded"`
	FramesDropped       int     `json:"framesDropped"`
	KeyFramesDecoded    int     `json:"keyFramesDecoded"`
	PacketsLost         int     `json:"packetsLost"`
	FreezeCount         int     `json:"freezeCount"`
	JitterBufferDelayMs float64 `json:"jitterBufferDelayMs"`
	Width               int     `json:"width"`
	Height              int     `json:"height"`
	Codec               string  `json:"codec"`
	RoundTripMs         float64 `json:"roundTripMs"`
}

// rtc returns what WebRTC reports now.
func (p *page) rtc() rtc {
	p.b.t.Helper()
	var r rtc
	p.eval("e2e.rtc()", &r)
	return r
}

// stamps reads n presented frames in a row; nil stands for one that could not
// be read.
func (p *page) stamps(n int) []*stamp {
	p.b.t.Helper()
	var all []*stamp
	p.eval(fmt.Sprintf("e2e.stamps(%d)", n), &all)
	return all
}

// waitState waits until every player of the page is in a state.
func (p *page) waitState(state string, timeout time.Duration) {
	p.b.t.Helper()
	p.wait(fmt.Sprintf("e2e.states().length > 0 && e2e.states().every((s) => s === %q)", state), timeout, nil)
}

// waitFrames waits until n more frames have been decoded than now.
func (p *page) waitFrames(n int, timeout time.Duration) {
	p.b.t.Helper()
	var before int
	p.eval("e2e.framesDecoded()", &before)
	p.wait(fmt.Sprintf("e2e.framesDecoded().then((n) => n >= %d)", before+n), timeout, nil)
}

// lags returns the sorted lags of the stamps that were read.
func lags(t *testing.T, stamps []*stamp) []float64 {
	t.Helper()
	var all []float64
	for _, s := range stamps {
		if s != nil {
			all = append(all, s.LagMs)
		}
	}
	if len(all) < len(stamps)*9/10 {
		t.Fatalf("%d of %d stamps read", len(all), len(stamps))
	}
	slices.Sort(all)
	return all
}
