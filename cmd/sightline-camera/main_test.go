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
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Setup: func(e *testscript.Env) error {
		e.Setenv("SIGHTLINE_NO_MDNS", "true") // nothing is said in the network of this machine
		e.Setenv("SIGHTLINE_NO_PORT_MAP", "true")
		return nil
	}})
}

// The same command must take the same flags in both programs, though each has
// its own parser.
func TestFlags_AreThoseOfTheProgramSightline(t *testing.T) {
	var both struct {
		Camera cli.Camera       `cmd:""`
		Pair   cli.Pair         `cmd:""`
		Grant  cli.Grant        `cmd:""`
		List   cli.AccessList   `cmd:""`
		Revoke cli.AccessRevoke `cmd:""`
		Log    cli.AccessLog    `cmd:""`
		Token  cli.Token        `cmd:""`
		ID     cli.ID           `cmd:""`
	}
	k, err := kong.New(&both)
	if err != nil {
		t.Fatal(err)
	}
	grammars := []any{&both.Camera, &both.Pair, &both.Grant, &both.List, &both.Revoke, &both.Log, &both.Token, &both.ID}
	if len(grammars) != len(k.Model.Children) {
		t.Fatalf("%d commands, %d grammars", len(k.Model.Children), len(grammars))
	}
	for i, command := range k.Model.Children {
		f, err := cli.NewFlags("x", grammars[i])
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, fl := range command.Flags {
			want = append(want, fl.Name)
		}
		slices.Sort(want)
		if d := cmp.Diff(want, f.Names()); d != "" {
			t.Errorf("%s: %s", command.Name, d)
		}
	}
}
