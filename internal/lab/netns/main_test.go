//go:build linux

package netns

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The tests wait for packets that do not come more than for the processor; but
	// a program that is not ours asks once, and gives up after some seconds.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
