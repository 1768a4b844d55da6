package e2e

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// What tests start says nothing in the network of this machine. Those in
	// networks of their own allow it again.
	if err := os.Setenv("SIGHTLINE_NO_MDNS", "true"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
