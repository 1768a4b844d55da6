package testpattern_test

import (
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
)

var start = time.Date(2026, 11, 20, 14, 3, 27, 123_456_789, time.UTC)

func newEncoder(tb testing.TB, o testpattern.Options) *testpattern.Encoder {
	tb.Helper()
	e, err := testpattern.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}
