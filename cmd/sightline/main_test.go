package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// quiet names what keeps the programs that tests start from saying anything in the
// network of this machine.
func quiet() []string { return []string{"SIGHTLINE_NO_MDNS", "SIGHTLINE_NO_PORT_MAP"} }

func TestMain(m *testing.M) {
	for _, name := range quiet() {
		if err := os.Setenv(name, "true"); err != nil {
			panic(err)
		}
	}
	testscript.Main(m, map[string]func(){"sightline": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Setup: func(e *testscript.Env) error {
		for _, name := range quiet() {
			e.Setenv(name, "true")
		}
		return nil
	}})
}
