package rtspcam

import (
	"os"
	"testing"
)

// missing skips the test because a program it needs is not there. Where CI is
// set to true a missing program is a failure.
func missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("%s, and CI=true does not allow to skip", what)
	}
	tb.Skip(what)
}
