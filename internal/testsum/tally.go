package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Tests slower than slowSeconds are listed, at most maxSlow of them.
const (
	slowSeconds = 3.0
	maxSlow     = 10
)

// tally counts tests and keeps what is needed to explain the bad ones.
type tally struct {
	out io.Writer

	passed, failed, skipped int

	output  map[string][]string // by package + test, until its result is known
	running map[string]bool     // tests begun and not ended
	builds  map[string][]string // compiler output by import path
	skips   []string
	slow    []slowTest
	failing []string
	bad     map[string]bool // packages in which a test failed
}

// slowTest is a test worth a look.
type slowTest struct {
	name    string
	seconds float64
}

func newTally(out io.Writer) *tally {
	return &tally{
		out: out, output: map[string][]string{}, running: map[string]bool{},
		builds: map[string][]string{}, bad: map[string]bool{},
	}
}

// readGo reads the events of one `go test -json` to the end. A line that is no
// event is printed as it is.
func (t *tally) readGo(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				t.note(strings.TrimRight(string(line), "\n"))
			} else {
				t.add(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the output of go test: %w", err)
		}
	}
}

// add counts one event.
func (t *tally) add(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		t.builds[e.ImportPath] = append(t.builds[e.ImportPath], e.Output)
	case "output":
		t.output[key] = append(t.output[key], e.Output)
	case "run":
		t.running[key] = true
	case "pass", "fail", "skip":
		if e.Test == "" {
			t.endPackage(e)
		} else {
			t.endTest(key, e)
		}
		delete(t.output, key)
	}
}

// endTest counts the result of a test or subtest.
func (t *tally) endTest(key string, e event) {
	delete(t.running, key)
	name := e.Package + " " + e.Test
	if e.Elapsed >= slowSeconds && !strings.Contains(e.Test, "/") {
		t.slow = append(t.slow, slowTest{name, e.Elapsed})
	}
	switch e.Action {
	case "pass":
		t.passed++
	case "skip":
		t.skip(name, reason(t.output[key]))
	case "fail":
		t.bad[e.Package] = true
		t.fail(e.Package, e.Test, strings.Join(t.output[key], ""))
	}
}

// endPackage prints the package's line and explains a failure that no test of
// it accounts for: it did not build, or it ended in the middle.
func (t *tally) endPackage(e event) {
	if e.Action == "skip" { // no test files
		return
	}
	if e.Action == "fail" {
		unfinished := 0
		for key := range t.running {
			if pkg, test, _ := strings.Cut(key, " "); pkg == e.Package {
				delete(t.running, key)
				unfinished++
				t.fail(pkg, test, strings.Join(t.output[key], ""))
			}
		}
		if unfinished == 0 && !t.bad[e.Package] || e.FailedBuild != "" {
			text := strings.Join(t.builds[e.FailedBuild], "") + strings.Join(t.output[e.Package+" "], "")
			t.fail(e.Package, "", text)
		}
	}
	t.note(fmt.Sprintf("%-4s %s (%.1f s)", e.Action, e.Package, e.Elapsed))
}

// fail counts a failure and prints its output.
func (t *tally) fail(pkg, test, output string) {
	t.failed++
	name := strings.TrimSpace(pkg + " " + test)
	t.failing = append(t.failing, name)
	t.note("--- FAIL: " + name + "\n" + strings.TrimRight(output, "\n"))
}

// skip counts a test that did not run.
func (t *tally) skip(name, why string) {
	t.skipped++
	if why == "" {
		why = "no reason given"
	}
	t.skips = append(t.skips, name+": "+why)
}

// note prints a line.
func (t *tally) note(text string) {
	_, _ = fmt.Fprintln(t.out, text) // a lost line must not lose the result, which is the exit code
}

// ok reports whether the run may pass.
func (t *tally) ok(ci bool) bool {
	return t.failed == 0 && t.passed > 0 && (!ci || t.skipped == 0)
}

// report prints what a reader wants to know at the end; its last line is the
// count.
func (t *tally) report(ci bool) {
	slices.SortFunc(t.slow, func(a, b slowTest) int {
		if a.seconds > b.seconds {
			return -1
		}
		return 1
	})
	if len(t.slow) > 0 {
		t.note("\nslow tests:")
		for _, s := range t.slow[:min(len(t.slow), maxSlow)] {
			t.note(fmt.Sprintf("  %5.1f s  %s", s.seconds, s.name))
		}
	}
	if len(t.skips) > 0 {
		t.note("\nskipped:")
		for _, s := range t.skips {
			t.note("  " + s)
		}
		if ci {
			t.note("CI=true: a skipped test is a failure; install what it misses.")
		}
	}
	if len(t.failing) > 0 {
		t.note("\nfailed:")
		for _, f := range t.failing {
			t.note("  " + f)
		}
	}
	t.note(fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped))
}

// reason finds the text of t.Skip in a test's output: the line before
// "--- SKIP" that names a Go file, without that name.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		line = strings.TrimSpace(line)
		if _, text, ok := strings.Cut(line, ".go:"); ok {
			if _, text, ok = strings.Cut(text, ": "); ok {
				return text
			}
		}
	}
	return ""
}
