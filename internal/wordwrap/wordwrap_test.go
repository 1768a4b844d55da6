package wordwrap_test

import (
	"slices"
	"testing"

	"github.com/sightline-cam/sightline/internal/wordwrap"
)

func TestLines(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"  a camera  that\nis off ", 9, []string{"a camera", "that is", "off"}},
		{"über vier", 9, []string{"über vier"}},
		{"see /dev/v4l/by-id/usb-1 there", 8, []string{"see", "/dev/v4l/by-id/usb-1", "there"}},
	} {
		if got := wordwrap.Lines(c.text, c.width); !slices.Equal(got, c.want) {
			t.Errorf("%q at %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}
