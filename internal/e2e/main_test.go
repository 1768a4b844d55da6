package e2e

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// What tests start says nothing in the network of this machine. Those in
	// networks of their own allow it again.
	for _, name := range []string{"SIGHTLINE_NO_MDNS", "SIGHTLINE_NO_PORT_MAP"} {
		if err := os.Setenv(name, "true"); err != nil {
			panic(err)
		}
	}
	moreAtOnce()
	goleak.VerifyTestMain(m)
}

// moreAtOnce lets one test more run at a time than there are processors, unless
// -parallel says how many: they wait more than they compute, and a browser starves
// where there are many.
func moreAtOnce() {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return
	}
	if err := flag.Set("test.parallel", strconv.Itoa(runtime.GOMAXPROCS(0)+1)); err != nil {
		panic(err)
	}
}
