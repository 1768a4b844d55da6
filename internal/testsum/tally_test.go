package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lastLine returns the last line of a report.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return lines[len(lines)-1]
}

// count feeds events to a tally and returns it with its report.
func count(t *testing.T, ci bool, events string) (*tally, string) {
	t.Helper()
	var out bytes.Buffer
	sum := newTally(&out)
	if err := sum.readGo(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	sum.report(ci)
	return sum, out.String()
}

const onePass = `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"m/a","Test":"TestA","Elapsed":4.5}
{"Action":"pass","Package":"m/a","Elapsed":4.6}
`

const oneSkip = `{"Action":"run","Package":"m/b","Test":"TestB"}
{"Action":"output","Package":"m/b","Test":"TestB","Output":"    b_test.go:7: ffmpeg is not installed\n"}
{"Action":"output","Package":"m/b","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"m/b","Test":"TestB","Elapsed":0}
{"Action":"pass","Package":"m/b","Elapsed":0.1}
`

func TestTally_CountsAndNamesSlowAndSkippedTests(t *testing.T) {
	sum, text := count(t, false, onePass+oneSkip+`{"Action":"skip","Package":"m/none"}`+"\n")
	if got, want := lastLine(text), "1 passed, 0 failed, 1 skipped"; got != want {
		t.Errorf("last line %q, want %q", got, want)
	}
	if !sum.ok(false) {
		t.Error("a skipped test failed the run outside CI")
	}
	for _, want := range []string{"4.5 s  m/a TestA", "m/b TestB: ffmpeg is not installed"} {
		if !strings.Contains(text, want) {
			t.Errorf("report lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "chatter") {
		t.Error("the output of a passing test was printed")
	}
}

func TestTally_SkipIsAFailureInCI(t *testing.T) {
	sum, text := count(t, true, onePass+oneSkip)
	if sum.ok(true) {
		t.Error("CI passed with a skipped test")
	}
	if !strings.Contains(text, "a skipped test is a failure") {
		t.Errorf("the report does not say why it failed:\n%s", text)
	}
}

func TestTally_BrokenBuildIsOneFailureWithItsOutput(t *testing.T) {
	sum, text := count(t, false, onePass+`{"ImportPath":"m/c","Action":"build-output","Output":"c.go:1: undefined: x\n"}
{"ImportPath":"m/c","Action":"build-fail"}
{"Action":"output","Package":"m/c","Output":"FAIL m/c [build failed]\n"}
{"Action":"fail","Package":"m/c","Elapsed":0,"FailedBuild":"m/c"}
`)
	if sum.ok(false) || lastLine(text) != "1 passed, 1 failed, 0 skipped" {
		t.Errorf("ok %v, last line %q", sum.ok(false), lastLine(text))
	}
	if !strings.Contains(text, "undefined: x") {
		t.Errorf("the compiler's message is missing:\n%s", text)
	}
}

func TestTally_TestCutShortByAPanicCountsAsFailed(t *testing.T) {
	_, text := count(t, false, `{"Action":"run","Package":"m/d","Test":"TestD"}
{"Action":"output","Package":"m/d","Test":"TestD","Output":"panic: boom\n"}
{"Action":"fail","Package":"m/d","Elapsed":0.1}
`)
	if lastLine(text) != "0 passed, 1 failed, 0 skipped" || !strings.Contains(text, "panic: boom") {
		t.Errorf("report:\n%s", text)
	}
}

func TestTally_LeakFoundAfterPassingTestsFailsThePackage(t *testing.T) {
	_, text := count(t, false, `{"Action":"run","Package":"m/e","Test":"TestE"}
{"Action":"pass","Package":"m/e","Test":"TestE","Elapsed":0}
{"Action":"output","Package":"m/e","Output":"goleak: found unexpected goroutines\n"}
{"Action":"fail","Package":"m/e","Elapsed":0.1}
`)
	if lastLine(text) != "1 passed, 1 failed, 0 skipped" || !strings.Contains(text, "goleak: found") {
		t.Errorf("report:\n%s", text)
	}
}

func TestTally_NothingRunIsNotAPass(t *testing.T) {
	if sum, _ := count(t, false, ""); sum.ok(false) {
		t.Error("an empty run passed")
	}
}

func TestTAP_CountsPassFailAndSkips(t *testing.T) {
	var out bytes.Buffer
	sum := newTally(&out)
	failed := sum.addTAP("TAP version 13\nok 1 - reads\nnot ok 2 - writes\nok 3 - plays # SKIP no codec\n1..3\n# tests 3\n# pass 1\n# fail 1\n# cancelled 0\n# skipped 1\n")
	if failed != 1 || sum.passed != 1 || sum.failed != 1 || sum.skipped != 1 {
		t.Errorf("failed %d, tally %d/%d/%d", failed, sum.passed, sum.failed, sum.skipped)
	}
	sum.report(false)
	if !strings.Contains(out.String(), "web: plays: no codec") {
		t.Errorf("the skip is not named:\n%s", out.String())
	}
}

func TestNode_TestsAreSkippedWithoutNode(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"a.test.mjs", "b.js", "node_modules/c.test.js"} {
		path := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", "")
	sum := newTally(&bytes.Buffer{})
	if err := nodeTest(context.Background(), dir, sum); err != nil {
		t.Fatal(err)
	}
	if sum.skipped != 1 {
		t.Errorf("%d skipped, want 1: %v", sum.skipped, sum.skips)
	}
}

func TestNode_TestsAreSkippedWithAnOldNode(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "node"), []byte("#!/bin/sh\necho v18.20.4\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	if _, why := findNode(t.Context()); why != "node v18.20.4 is older than version 20" {
		t.Errorf("findNode says %q", why)
	}
}

func TestRace_IsDroppedOnlyOutsideCIWithoutACompiler(t *testing.T) {
	args := []string{"-race", "./..."}
	none := func() bool { return false }
	some := func() bool { return true }
	for _, c := range []struct {
		ci   bool
		have func() bool
		want int
	}{{false, none, 1}, {false, some, 2}, {true, none, 2}} {
		if got := withoutRace(args, c.ci, c.have, newTally(&bytes.Buffer{})); len(got) != c.want {
			t.Errorf("ci %v: %v", c.ci, got)
		}
	}
}

func TestRuns_AreSeparatedByTwoDashes(t *testing.T) {
	got := runs(strings.Fields("-race ./... -- -tags device ./camera -- -v ."))
	want := [][]string{{"-race", "./..."}, {"-tags", "device", "./camera"}, {"-v", "."}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := runs([]string{"./..."}); len(got) != 1 || len(got[0]) != 1 {
		t.Errorf("one run is %v", got)
	}
}
