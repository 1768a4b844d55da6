package browser

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"time"
)

// Page is a page of the browser in a context of its own.
type Page struct {
	b    *Browser
	name string
}

// PageOptions is how a page is opened. The zero value is a light page of
// 1280x800 pixels.
type PageOptions struct {
	Dark          bool
	Width, Height int    // default 1280x800
	Profile       string // pages of one profile share their storage; default none
	Insecure      bool   // the warning about the certificate was clicked away
	Touch         bool   // there are fingers
}

// Open opens a URL in a new page. The name is for messages and must be unique.
func (b *Browser) Open(name, url string, o PageOptions) *Page {
	b.tb.Helper()
	args := map[string]any{"page": name, "url": url, "dark": o.Dark, "profile": o.Profile, "insecure": o.Insecure, "touch": o.Touch}
	if o.Width > 0 {
		args["width"], args["height"] = o.Width, o.Height
	}
	b.Do("open", args, patience)
	return &Page{b: b, name: name}
}

// Eval evaluates an expression in the page and decodes its value into to,
// which may be nil.
func (p *Page) Eval(js string, to any) {
	p.b.tb.Helper()
	p.decode(p.b.Do("eval", map[string]any{"page": p.name, "js": js}, patience), to)
}

// Wait waits until an expression is truthy and decodes its value into to,
// which may be nil. When it never is, the test fails, with a screenshot and
// what the page says.
func (p *Page) Wait(js string, timeout time.Duration, to any) {
	p.b.tb.Helper()
	a := p.b.try("wait", map[string]any{"page": p.name, "js": js, "timeoutMs": timeout.Milliseconds()}, timeout+patience)
	if a.Error == "" {
		p.decode(a.Result, to)
		return
	}
	shot := p.Screenshot(strings.ReplaceAll(p.b.tb.Name(), "/", "-") + "-failed")
	var says string
	p.Eval("JSON.stringify(e2e.states()) + ' ' + e2e.text()", &says)
	p.b.tb.Fatalf("page %s: not within %v: %s\n%s\nthe page says: %s\nsee %s", p.name, timeout, js, a.Error, says, shot)
}

func (p *Page) decode(value json.RawMessage, to any) {
	p.b.tb.Helper()
	if to == nil {
		return
	}
	if err := json.Unmarshal(value, to); err != nil {
		p.b.tb.Fatalf("page %s answers %s: %v", p.name, value, err)
	}
}

// Screenshot keeps a picture of the page in artifacts/ and returns its path.
func (p *Page) Screenshot(name string) string {
	p.b.tb.Helper()
	path := filepath.Join(folder(p.b.tb), "artifacts", filepath.Base(name)+".png")
	p.b.Do("screenshot", map[string]any{"page": p.name, "path": path}, patience)
	return path
}

// Close closes the page.
func (p *Page) Close() {
	p.b.tb.Helper()
	p.b.Do("close", map[string]any{"page": p.name}, patience)
}

// Click clicks the element with a test id.
func (p *Page) Click(testID string) {
	p.b.tb.Helper()
	p.b.Do("click", map[string]any{"page": p.name, "selector": selector(testID)}, patience)
}

// Fill types a text into the field with a test id.
func (p *Page) Fill(testID, text string) {
	p.b.tb.Helper()
	p.b.Do("fill", map[string]any{"page": p.name, "selector": selector(testID), "text": text}, patience)
}

// Forget clears the site's data and reloads the page.
func (p *Page) Forget() {
	p.b.tb.Helper()
	p.b.Do("forget", map[string]any{"page": p.name}, patience)
}

// Reload loads the page again, as a person does.
func (p *Page) Reload() {
	p.b.tb.Helper()
	p.b.Do("reload", map[string]any{"page": p.name}, patience)
}

// Text waits for an element with a test id and returns its text.
func (p *Page) Text(testID string, timeout time.Duration) string {
	p.b.tb.Helper()
	var text string
	p.Wait("e2e.all('"+selector(testID)+"')[0]?.textContent", timeout, &text)
	return text
}

func selector(testID string) string { return "[data-testid=" + testID + "]" }

// Press types a key into the page.
func (p *Page) Press(key string) {
	p.b.tb.Helper()
	p.b.Do("press", map[string]any{"page": p.name, "key": key}, patience)
}
