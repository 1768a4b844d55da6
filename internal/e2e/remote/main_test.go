package remote

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"SIGHTLINE_NO_MDNS", "SIGHTLINE_NO_PORT_MAP"} {
		if err := os.Setenv(name, "true"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}
