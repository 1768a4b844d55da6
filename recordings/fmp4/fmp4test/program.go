package fmp4test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Program returns the path of a program, or skips the test; under CI=true its
// absence is a failure.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("%s is not installed", name)
		}
		tb.Skipf("needs %s", name)
	}
	return path
}

// Run runs a program and returns what it writes. Anything on its standard error
// fails the test.
func Run(tb testing.TB, stdin []byte, name string, args ...string) []byte {
	tb.Helper()
	out, complaints := run(tb, stdin, name, args...)
	if complaints != "" {
		tb.Fatalf("%s %s: %s", name, strings.Join(args, " "), complaints)
	}
	return out
}

func run(tb testing.TB, stdin []byte, name string, args ...string) (out []byte, complaints string) {
	tb.Helper()
	path := Program(tb, name)
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Sprintf("%v: %s", err, stderr.String())
	}
	return out, stderr.String()
}

// File writes data into a file of the test's own and returns its name.
func File(tb testing.TB, name string, data []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// Play decodes all tracks of a file with ffmpeg, which may not complain.
func Play(tb testing.TB, file string) {
	tb.Helper()
	Run(tb, nil, "ffmpeg", "-nostdin", "-v", "error", "-xerror", "-threads", "1", "-i", file, "-map", "0", "-f", "null", "-")
}

// Complaint is what ffmpeg says against a file; empty if it plays.
func Complaint(tb testing.TB, file string) string {
	tb.Helper()
	_, complaints := run(tb, nil, "ffmpeg", "-nostdin", "-v", "error", "-xerror", "-threads", "1", "-i", file, "-map", "0", "-f", "null", "-")
	return complaints
}
