package browser

import (
	"fmt"
	"time"
)

// Stamp is what the test picture says about itself, read from the pixels of
// one presented frame.
type Stamp struct {
	TimeMs    float64 `json:"timeMs"`  // capture time, milliseconds since 1970
	Counter   int     `json:"counter"` // of the frame, mod 2^24
	LagMs     float64 `json:"lagMs"`   // from capture to presentation, one clock
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	Presented int     `json:"presented"` // frames presented so far
}

// RTC is what WebRTC reports about a page's connection; see probe.mjs.
type RTC struct {
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
	// Local and Remote are the ends of the path in use, such as
	// "host 192.0.2.7:50123/udp"; empty before there is one.
	Local  string `json:"local"`
	Remote string `json:"remote"`
	// Relayed says that the path leads through a TURN server, RelayProtocol how
	// this end speaks to its own: "udp", "tcp" or "tls".
	Relayed       bool   `json:"relayed"`
	RelayProtocol string `json:"relayProtocol"`
}

// RTC returns what WebRTC reports now.
func (p *Page) RTC() RTC {
	p.b.tb.Helper()
	var r RTC
	p.Eval("e2e.rtc()", &r)
	return r
}

// Stamps reads n presented frames in a row; nil stands for one that could not
// be read.
func (p *Page) Stamps(n int) []*Stamp {
	p.b.tb.Helper()
	var all []*Stamp
	p.Eval(fmt.Sprintf("e2e.stamps(%d)", n), &all)
	return all
}

// WaitState waits until every player of the page is in a state.
func (p *Page) WaitState(state string, timeout time.Duration) {
	p.b.tb.Helper()
	p.Wait(fmt.Sprintf("e2e.states().length > 0 && e2e.states().every((s) => s === %q)", state), timeout, nil)
}

// WaitFrames waits until n more frames have been decoded than now.
func (p *Page) WaitFrames(n int, timeout time.Duration) {
	p.b.tb.Helper()
	var before int
	p.Eval("e2e.framesDecoded()", &before)
	p.Wait(fmt.Sprintf("e2e.framesDecoded().then((n) => n >= %d)", before+n), timeout, nil)
}
