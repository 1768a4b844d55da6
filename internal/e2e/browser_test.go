package e2e

import (
	"slices"
	"testing"
	"time"

	chromium "github.com/sightline-cam/sightline/internal/lab/browser"
)

// browser is a Chromium.
type browser struct {
	*chromium.Browser
	t *testing.T // fails when the browser does
}

// page is a page of the browser in a context of its own.
type page struct {
	*chromium.Page
	b    *browser
	name string
}

type (
	pageOptions = chromium.PageOptions
	stamp       = chromium.Stamp
	rtc         = chromium.RTC
)

// launch starts a browser that ends with the test.
func launch(t *testing.T) *browser {
	t.Helper()
	return launchIn(t)
}

// launchIn starts a browser by a command, such as one that enters a network
// namespace.
func launchIn(t *testing.T, enter ...string) *browser {
	t.Helper()
	return &browser{chromium.Launch(t, enter...), t}
}

// during makes a subtest the one that the browser's failures belong to.
func (b *browser) during(t *testing.T) {
	parent := b.t
	b.t = t
	b.During(t)
	t.Cleanup(func() { b.t = parent })
}

func (b *browser) printed() []string { return b.Printed() }

func (b *browser) do(command string, args map[string]any, timeout time.Duration) {
	b.t.Helper()
	b.Do(command, args, timeout)
}

// open opens a URL in a new page. The name is for messages and must be unique.
func (b *browser) open(name, url string, o pageOptions) *page {
	b.t.Helper()
	return &page{b.Open(name, url, o), b, name}
}

func (p *page) eval(js string, to any) { p.b.t.Helper(); p.Eval(js, to) }
func (p *page) wait(js string, timeout time.Duration, to any) {
	p.b.t.Helper()
	p.Wait(js, timeout, to)
}
func (p *page) waitState(state string, timeout time.Duration) {
	p.b.t.Helper()
	p.WaitState(state, timeout)
}
func (p *page) waitFrames(n int, timeout time.Duration) { p.b.t.Helper(); p.WaitFrames(n, timeout) }
func (p *page) screenshot(name string) string           { p.b.t.Helper(); return p.Screenshot(name) }
func (p *page) close()                                  { p.b.t.Helper(); p.Close() }
func (p *page) click(testID string)                     { p.b.t.Helper(); p.Click(testID) }
func (p *page) fill(testID, text string)                { p.b.t.Helper(); p.Fill(testID, text) }
func (p *page) forget()                                 { p.b.t.Helper(); p.Forget() }
func (p *page) press(key string)                        { p.b.t.Helper(); p.Press(key) }
func (p *page) text(testID string, timeout time.Duration) string {
	p.b.t.Helper()
	return p.Text(testID, timeout)
}
func (p *page) rtc() rtc              { p.b.t.Helper(); return p.RTC() }
func (p *page) stamps(n int) []*stamp { p.b.t.Helper(); return p.Stamps(n) }

// lags returns the sorted lags of the stamps that were read.
func lags(stamps []*stamp) []float64 {
	var all []float64
	for _, s := range stamps {
		if s != nil {
			all = append(all, s.LagMs)
		}
	}
	slices.Sort(all)
	return all
}
