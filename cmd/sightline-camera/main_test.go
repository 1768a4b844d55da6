package main

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sightline-cam/sightline/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sightline-camera": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}

// The same command must take the same flags in both programs, though each has
// its own parser.
func TestFlags_AreThoseOfTheProgramSightline(t *testing.T) {
	var c cli.Camera
	f, err := cli.NewFlags("x", &c)
	if err != nil {
		t.Fatal(err)
	}
	k, err := kong.New(&struct {
		Camera cli.Camera `cmd:""`
	}{})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, fl := range k.Model.Children[0].Flags {
		want = append(want, fl.Name)
	}
	slices.Sort(want)
	if d := cmp.Diff(want, f.Names()); d != "" {
		t.Error(d)
	}
}
