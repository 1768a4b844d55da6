package cli

import (
	"bytes"
	"errors"
	"testing"
)

func TestProcess_ShowsNothingThatATerminalObeys(t *testing.T) {
	var out bytes.Buffer
	p := &Process{Name: "sightline", Stderr: &out}
	p.report(errors.Join(errors.New("refused: \u202etxt.exe\x1b[2J"), errors.New("and more")))
	if got, want := out.String(), "sightline: refused: ?txt.exe?[2J\nand more\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
