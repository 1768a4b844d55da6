package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// missing skips the test because something it needs is not there. Where CI is
// set to true that is a failure.
func missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatal(what)
	}
	tb.Skip(what)
}

// lookup returns the path of the first program found.
func lookup(tb testing.TB, names ...string) string {
	tb.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(tb, names[0]+" is not installed")
	return ""
}

// folder returns the folder of the scripts and the screenshots. Tests run in the
// folder of their package.
func folder(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	for ; err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "internal/e2e")
		}
	}
	tb.Fatalf("no go.mod above the test's folder (%v)", err)
	return ""
}

// Need skips the test without what a browser needs; see Launch.
func Need(tb testing.TB) {
	tb.Helper()
	lookup(tb, "node")
	lookup(tb, "chromium", "chromium-browser", "google-chrome")
	if _, err := os.Stat(filepath.Join(folder(tb), "browser/node_modules/playwright-core")); err != nil {
		missing(tb, "playwright-core is not installed; run: make node-modules")
	}
}
