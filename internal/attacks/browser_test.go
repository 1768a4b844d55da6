package attacks

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// browser is a Chromium driven by the end-to-end tests' driver. It belongs to
// one goroutine.
type browser struct {
	w       *world
	in      io.WriteCloser
	answers chan browserAnswer // closed when the driver ends
	next    int
}

// browserAnswer is a line of the driver.
type browserAnswer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
	Event  string          `json:"event"`
}

// missing skips the attack for want of a tool; in CI it fails instead.
func (w *world) missing(what string) {
	w.Helper()
	if os.Getenv("CI") == "true" {
		w.Fatal(what)
	}
	w.Skip(what)
}

// browser starts a browser that ends with the try.
func (w *world) browser() *browser {
	w.Helper()
	const dir = "../e2e/browser"
	node, err := exec.LookPath("node")
	if err != nil {
		w.missing("node is not installed")
	}
	var chromium string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		w.missing("chromium is not installed")
	}
	if _, err := os.Stat(dir + "/node_modules/playwright-core"); err != nil {
		w.missing("playwright-core is not installed; run: make node-modules")
	}
	cmd := exec.Command(node, "driver.mjs")
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "CHROMIUM="+chromium)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b := &browser{w: w, answers: make(chan browserAnswer, 1)}
	if b.in, err = cmd.StdinPipe(); err != nil {
		w.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	go b.read(out)
	w.Cleanup(func() {
		_ = b.in.Close() // the driver closes the browser and ends
		kill := time.AfterFunc(stopTimeout, func() { _ = cmd.Process.Kill() })
		for range b.answers { // what is left of the output
		}
		_ = cmd.Wait()
		kill.Stop()
	})
	if a, err := b.receive(); err != nil || a.Event != "ready" {
		w.Fatalf("the browser does not start: %+v %v", a, err)
	}
	return b
}

func (b *browser) read(r io.Reader) {
	defer close(b.answers)
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var a browserAnswer
		if json.Unmarshal(line, &a) == nil && a.Event != "log" {
			b.answers <- a
		}
	}
}

func (b *browser) receive() (browserAnswer, error) {
	timer := time.NewTimer(2 * patience)
	defer timer.Stop()
	select {
	case a, ok := <-b.answers:
		if !ok {
			return a, errors.New("the browser has ended")
		}
		return a, nil
	case <-timer.C:
		return browserAnswer{}, errors.New("the browser does not answer")
	}
}

// do sends a command and decodes its result into to, which may be nil.
func (b *browser) do(to any, command string, args map[string]any) error {
	b.next++
	args["id"], args["do"] = b.next, command
	line, err := json.Marshal(args)
	if err != nil {
		return err
	}
	if _, err := b.in.Write(append(line, '\n')); err != nil {
		return err
	}
	a, err := b.receive()
	switch {
	case err != nil:
		return err
	case a.Error != "":
		return fmt.Errorf("browser: %s: %s", command, a.Error)
	case to == nil:
		return nil
	}
	return json.Unmarshal(a.Result, to)
}

// open opens an address in a new window of one browser profile, and so with one
// key.
func (b *browser) open(page, url string) error {
	return b.do(nil, "open", map[string]any{"page": page, "url": url, "profile": "victim"})
}

// close closes a window.
func (b *browser) close(page string) error {
	return b.do(nil, "close", map[string]any{"page": page})
}

// wait waits until an expression is truthy in the page. An error has what the
// page says.
func (b *browser) wait(to any, page, js string) error {
	err := b.do(to, "wait", map[string]any{"page": page, "js": js, "timeoutMs": patience.Milliseconds()})
	if err == nil {
		return nil
	}
	var says string
	_ = b.do(&says, "eval", map[string]any{"page": page, "js": "e2e.text()"})
	return fmt.Errorf("%w; the page says %q", err, strings.Join(strings.Fields(says), " "))
}
