package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/program"
)

// browser is a Chromium driven by browser/driver.mjs.
type browser struct {
	t       *testing.T // fails when the browser does; see during
	stdin   io.WriteCloser
	answers chan answer // closed when the driver ends
	next    int         // id of the next command; used by the test's goroutine

	mu  sync.Mutex
	log []string // what pages printed; guarded by mu
}

// answer is a line of the driver.
type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
	Event  string          `json:"event"`
	Text   string          `json:"text"`
}

// launch starts a browser that ends with the test.
func launch(t *testing.T) *browser {
	t.Helper()
	return launchIn(t)
}

// launchIn starts a browser by a command, such as one that enters a network
// namespace.
func launchIn(t *testing.T, enter ...string) *browser {
	t.Helper()
	node := lookup(t, "node")
	chromium := lookup(t, "chromium", "chromium-browser", "google-chrome")
	if _, err := os.Stat("browser/node_modules/playwright-core"); err != nil {
		need(t, "playwright-core is not installed; run: make node-modules")
	}
	command := append(enter, node, "driver.mjs")
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = "browser"
	cmd.Env = append(cmd.Environ(), "CHROMIUM="+chromium)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the browser's driver: %v", err)
	}
	b := &browser{t: t, stdin: stdin, answers: make(chan answer, 1)}
	go b.read(stdout)
	t.Cleanup(func() {
		_ = stdin.Close() // the driver closes the browser and ends
		kill := time.AfterFunc(program.StopTimeout, func() { _ = cmd.Process.Kill() })
		for range b.answers { // what is left of the output
		}
		err := cmd.Wait()
		kill.Stop()
		if err != nil {
			t.Errorf("the browser's driver: %v\n%s", err, stderr.String())
		}
		if t.Failed() {
			t.Logf("what the pages printed:\n%s", strings.Join(b.printed(), "\n"))
		}
	})
	if a := b.receive(30 * time.Second); a.Event != "ready" {
		t.Fatalf("the browser did not start: %+v\n%s", a, stderr.String())
	}
	return b
}

// during makes a subtest the one that the browser's failures belong to.
func (b *browser) during(t *testing.T) {
	parent := b.t
	b.t = t
	t.Cleanup(func() { b.t = parent })
}

// read splits the driver's output into answers and the pages' words.
func (b *browser) read(r io.Reader) {
	defer close(b.answers)
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(line, &a) != nil || a.Event == "log" {
			b.mu.Lock()
			b.log = append(b.log, a.Text)
			b.mu.Unlock()
			continue
		}
		b.answers <- a
	}
}

// printed returns what the pages have written to the console, and their errors.
func (b *browser) printed() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.log...)
}

// receive waits for the next answer.
func (b *browser) receive(timeout time.Duration) answer {
	b.t.Helper()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case a, ok := <-b.answers:
		if !ok {
			b.t.Fatal("the browser's driver has ended")
		}
		return a
	case <-timer.C:
		b.t.Fatalf("the browser did not answer within %v", timeout)
	}
	return answer{}
}

// do sends a command and returns its result; an error fails the test.
func (b *browser) do(command string, args map[string]any, timeout time.Duration) json.RawMessage {
	b.t.Helper()
	a := b.try(command, args, timeout)
	if a.Error != "" {
		b.t.Fatalf("browser: %s %v: %s", command, args, a.Error)
	}
	return a.Result
}

// try sends a command and returns the answer.
func (b *browser) try(command string, args map[string]any, timeout time.Duration) answer {
	b.t.Helper()
	b.next++
	message := map[string]any{"id": b.next, "do": command}
	maps.Copy(message, args)
	line, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.stdin.Write(append(line, '\n')); err != nil {
		b.t.Fatalf("tell the browser to %s: %v", command, err)
	}
	a := b.receive(timeout)
	if a.ID != b.next {
		b.t.Fatalf("answer %d to command %d", a.ID, b.next)
	}
	return a
}

// page is a page of the browser in a context of its own.
type page struct {
	b    *browser
	name string
}

// pageOptions is how a page is opened. The zero value is a light page of
// 1280x800 pixels.
type pageOptions struct {
	Dark          bool
	Width, Height int    // default 1280x800
	Profile       string // pages of one profile share their storage; default none
	Insecure      bool   // the warning about the certificate was clicked away
}

// open opens a URL in a new page. The name is for messages and must be unique.
func (b *browser) open(name, url string, o pageOptions) *page {
	b.t.Helper()
	args := map[string]any{"page": name, "url": url, "dark": o.Dark, "profile": o.Profile, "insecure": o.Insecure}
	if o.Width > 0 {
		args["width"], args["height"] = o.Width, o.Height
	}
	b.do("open", args, 30*time.Second)
	return &page{b: b, name: name}
}

// eval evaluates an expression in the page and decodes its value into to,
// which may be nil.
func (p *page) eval(js string, to any) {
	p.b.t.Helper()
	p.decode(p.b.do("eval", map[string]any{"page": p.name, "js": js}, 30*time.Second), to)
}

// wait waits until an expression is truthy and decodes its value into to,
// which may be nil. When it never is, the test fails, with a screenshot and
// what the page says.
func (p *page) wait(js string, timeout time.Duration, to any) {
	p.b.t.Helper()
	a := p.b.try("wait", map[string]any{"page": p.name, "js": js, "timeoutMs": timeout.Milliseconds()}, timeout+10*time.Second)
	if a.Error == "" {
		p.decode(a.Result, to)
		return
	}
	shot := p.screenshot(strings.ReplaceAll(p.b.t.Name(), "/", "-") + "-failed")
	var says string
	p.eval("JSON.stringify(e2e.states()) + ' ' + e2e.text()", &says)
	p.b.t.Fatalf("page %s: not within %v: %s\n%s\nthe page says: %s\nsee %s", p.name, timeout, js, a.Error, says, shot)
}

func (p *page) decode(value json.RawMessage, to any) {
	p.b.t.Helper()
	if to == nil {
		return
	}
	if err := json.Unmarshal(value, to); err != nil {
		p.b.t.Fatalf("page %s answers %s: %v", p.name, value, err)
	}
}

// screenshot keeps a picture of the page in artifacts/ and returns its path.
func (p *page) screenshot(name string) string {
	p.b.t.Helper()
	path := artifact(p.b.t, filepath.Base(name)+".png")
	p.b.do("screenshot", map[string]any{"page": p.name, "path": path}, 30*time.Second)
	return path
}

// close closes the page.
func (p *page) close() {
	p.b.t.Helper()
	p.b.do("close", map[string]any{"page": p.name}, 30*time.Second)
}

// click clicks the element with a test id.
func (p *page) click(testID string) {
	p.b.t.Helper()
	p.b.do("click", map[string]any{"page": p.name, "selector": selector(testID)}, 30*time.Second)
}

// fill types a text into the field with a test id.
func (p *page) fill(testID, text string) {
	p.b.t.Helper()
	p.b.do("fill", map[string]any{"page": p.name, "selector": selector(testID), "text": text}, 30*time.Second)
}

// forget clears the site's data and reloads the page.
func (p *page) forget() {
	p.b.t.Helper()
	p.b.do("forget", map[string]any{"page": p.name}, 30*time.Second)
}

// text waits for an element with a test id and returns its text.
func (p *page) text(testID string, timeout time.Duration) string {
	p.b.t.Helper()
	var text string
	p.wait("e2e.all('"+selector(testID)+"')[0]?.textContent", timeout, &text)
	return text
}

func selector(testID string) string { return "[data-testid=" + testID + "]" }

// press types a key into the page.
func (p *page) press(key string) {
	p.b.t.Helper()
	p.b.do("press", map[string]any{"page": p.name, "key": key}, 30*time.Second)
}
