package attacks

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// What tests start says nothing in the network of this machine.
	if err := os.Setenv("SIGHTLINE_NO_MDNS", "true"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
