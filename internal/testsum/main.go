// Command testsum runs the Go tests and the web's tests and ends with one line
// that counts them: "N passed, N failed, N skipped". It prints the output of
// what failed, one line a package, and the slowest tests. A skipped test is a
// failure where CI=true, so that a machine that lacks a tool cannot pass for
// one that has tested everything.
//
//	testsum [-web DIR] -- [go test arguments] [-- go test arguments of another run]...
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok := run(ctx, os.Args[1:], os.Getenv("CI") == "true", os.Stdout, os.Stderr)
	stop()
	if !ok {
		os.Exit(1)
	}
}

// run does everything and reports whether all is well.
func run(ctx context.Context, args []string, ci bool, stdout, stderr io.Writer) bool {
	flags := flag.NewFlagSet("testsum", flag.ContinueOnError)
	flags.SetOutput(stderr)
	web := flags.String("web", "", "folder whose *.test.js and *.test.mjs files node runs; none if empty")
	if err := flags.Parse(args); err != nil {
		return false
	}

	t := newTally(stdout)
	var err error
	for _, arguments := range runs(flags.Args()) {
		if err = goTest(ctx, arguments, ci, t, stderr); err != nil {
			break
		}
	}
	if err == nil && *web != "" {
		err = nodeTest(ctx, *web, t)
	}
	if err != nil {
		t.fail("testsum", "", err.Error())
	}
	t.report(ci)
	return t.ok(ci)
}

// runs splits the arguments at each "--".
func runs(args []string) [][]string {
	for i, a := range args {
		if a == "--" {
			return append([][]string{args[:i]}, runs(args[i+1:])...)
		}
	}
	return [][]string{args}
}

// goTest runs `go test -json` and counts its events.
func goTest(ctx context.Context, args []string, ci bool, t *tally, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, withoutRace(args, ci, hasCompiler, t)...)...)
	cmd.Stderr = stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("run go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run go test: %w; is go in the PATH?", err)
	}
	readErr := t.readGo(pipe)
	// The exit code says no more than the events did, unless nothing failed
	// in them.
	if err := cmd.Wait(); err != nil && t.failed == 0 {
		return fmt.Errorf("go test: %w", err)
	}
	return readErr
}

// withoutRace drops -race where there is no C compiler, which the race
// detector needs; in CI it stays, and the run fails.
func withoutRace(args []string, ci bool, hasCompiler func() bool, t *tally) []string {
	kept := make([]string, 0, len(args))
	for _, a := range args {
		if a == "-race" && !ci && !hasCompiler() {
			t.note("no C compiler: the tests run without the race detector; install gcc to have it")
			continue
		}
		kept = append(kept, a)
	}
	return kept
}

// hasCompiler reports whether a C compiler is in the PATH.
func hasCompiler() bool {
	for _, name := range []string{os.Getenv("CC"), "gcc", "clang"} {
		if name == "" {
			continue
		}
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}
