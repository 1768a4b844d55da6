//go:build !device

package encoder

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestNew_WithoutAnEncoderSaysHowToBuildOne(t *testing.T) {
	e, err := New(Settings{FourCC: "YUYV", Width: 640, Height: 480, Rate: 30, Bitrate: 1_000_000, KeyInterval: 60})
	if e != nil || !errors.Is(err, ErrMissing) {
		t.Fatalf("New: %v, %v; want ErrMissing", e, err)
	}
	for _, part := range []string{"-tags device", "make device", "libx264-dev"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %q", err, part)
		}
	}
	if Name != "" {
		t.Errorf("the name of no encoder is %q", Name)
	}
}

func TestBuild_TheTagWithoutCgoSaysWhatIsMissing(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "device", ".")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "set_CGO_ENABLED_1") || strings.Count(string(out), "\n") > 2 {
		t.Errorf("go build: %v\n%s", err, out)
	}
}
