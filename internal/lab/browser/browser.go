package browser

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/program"
)

// patience bounds the start of a browser and each command on a busy machine. Within
// it the driver gives up by itself, and says why.
const patience = 90 * time.Second

// Browser is a Chromium driven by browser/driver.mjs.
type Browser struct {
	tb      testing.TB // fails when the browser does; see During
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

// Launch starts a browser that ends with the test, by a command that goes before
// its own if there is one, such as one that enters a network namespace. It skips
// the test without Node, playwright-core or Chromium; where CI is set to true it
// fails.
func Launch(tb testing.TB, enter ...string) *Browser {
	tb.Helper()
	node, chromium := lookup(tb, "node"), lookup(tb, "chromium", "chromium-browser", "google-chrome")
	dir := filepath.Join(folder(tb), "browser")
	if _, err := os.Stat(filepath.Join(dir, "node_modules/playwright-core")); err != nil {
		missing(tb, "playwright-core is not installed; run: make node-modules")
	}
	command := append(slices.Clone(enter), node, "driver.mjs")
	cmd := exec.Command(command[0], command[1:]...) //nolint:noctx // it ends with the test, politely
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "CHROMIUM="+chromium)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start the browser's driver: %v", err)
	}
	b := &Browser{tb: tb, stdin: stdin, answers: make(chan answer, 1)}
	go b.read(stdout)
	tb.Cleanup(func() {
		_ = stdin.Close() // the driver closes the browser and ends
		kill := time.AfterFunc(program.StopTimeout, func() { _ = cmd.Process.Kill() })
		for range b.answers { // what is left of the output
		}
		err := cmd.Wait()
		kill.Stop()
		if err != nil {
			tb.Errorf("the browser's driver: %v\n%s", err, stderr.String())
		}
		if tb.Failed() {
			tb.Logf("what the pages printed:\n%s", strings.Join(b.Printed(), "\n"))
		}
	})
	if a := b.receive(patience); a.Event != "ready" {
		tb.Fatalf("the browser did not start: %+v\n%s", a, stderr.String())
	}
	return b
}

// During makes a subtest the one that the browser's failures belong to.
func (b *Browser) During(tb testing.TB) {
	parent := b.tb
	b.tb = tb
	tb.Cleanup(func() { b.tb = parent })
}

// read splits the driver's output into answers and the pages' words.
func (b *Browser) read(r io.Reader) {
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

// Printed returns what the pages have written to the console, and their errors.
func (b *Browser) Printed() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.log...)
}

// receive waits for the next answer.
func (b *Browser) receive(timeout time.Duration) answer {
	b.tb.Helper()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case a, ok := <-b.answers:
		if !ok {
			b.tb.Fatal("the browser's driver has ended")
		}
		return a
	case <-timer.C:
		b.tb.Fatalf("the browser did not answer within %v", timeout)
	}
	return answer{}
}

// Do sends a command and returns its result; an error fails the test.
func (b *Browser) Do(command string, args map[string]any, timeout time.Duration) json.RawMessage {
	b.tb.Helper()
	a := b.try(command, args, timeout)
	if a.Error != "" {
		b.tb.Fatalf("browser: %s %v: %s", command, args, a.Error)
	}
	return a.Result
}

// try sends a command and returns the answer.
func (b *Browser) try(command string, args map[string]any, timeout time.Duration) answer {
	b.tb.Helper()
	b.next++
	message := map[string]any{"id": b.next, "do": command}
	maps.Copy(message, args)
	line, err := json.Marshal(message)
	if err != nil {
		b.tb.Fatal(err)
	}
	if _, err := b.stdin.Write(append(line, '\n')); err != nil {
		b.tb.Fatalf("tell the browser to %s: %v", command, err)
	}
	a := b.receive(timeout)
	if a.ID != b.next {
		b.tb.Fatalf("answer %d to command %d", a.ID, b.next)
	}
	return a
}
