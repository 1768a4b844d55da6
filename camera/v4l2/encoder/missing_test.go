//go:build !device

package encoder

import (
	"errors"
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
