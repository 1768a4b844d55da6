package testpattern_test

import (
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// start is the instant of the first frame of most tests.
func start() time.Time { return time.Date(2026, 11, 20, 14, 3, 27, 123_456_789, time.UTC) }

func newEncoder(tb testing.TB, o testpattern.Options) *testpattern.Encoder {
	tb.Helper()
	e, err := testpattern.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}
