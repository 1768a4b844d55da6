//go:build linux

package v4l2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// listed is what `sightline camera --list --json` says, as far as it matters here.
type listed struct {
	Encoder string
	Devices []struct {
		Path, Address, Card, Driver, Problem string
		Chosen                               *struct {
			Format, Use   string
			Width, Height int
			Rate          float64
		}
	}
}

// listing lists the cameras of a machine that has many other devices: what vivid makes
// beside cameras, the metadata of a USB camera, and loopbacks with nobody behind.
func listing(t *testing.T, w *world) string {
	usb := w.usb(t, "H264", "-usb", "0")
	w.show(t, "/dev/video20", "H264")
	nodes := strings.Fields(w.Sh(t, "cd /dev && ls -d video* vbi* radio* swradio* v4l-touch*"))
	want := []string{"/dev/video0", "/dev/video1", usb.path, "/dev/video20"}

	text := w.command(t, lean, "camera", "--list")
	var headings []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "/dev/") {
			headings = append(headings, strings.Fields(line)[0])
		}
	}
	if !slices.Equal(headings, want) {
		t.Errorf("the table lists %v, not %v", headings, want)
	}
	for _, words := range []string{"H264 640x360 at 30 pictures a second", "cannot encode", usb.path + "  USB camera"} {
		if !strings.Contains(text, words) {
			t.Errorf("the table does not say %q:\n%.2000s", words, text)
		}
	}

	var l listed
	if err := json.Unmarshal([]byte(w.command(t, encoding, "camera", "--list", "--json")), &l); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, d := range l.Devices {
		paths = append(paths, d.Path)
		format, use := "H264", "passThrough"
		if d.Driver == "vivid" {
			format, use = "", "encode"
		}
		if c := d.Chosen; c == nil || d.Problem != "" || c.Use != use || format != "" && c.Format != format || c.Rate < 15 || c.Rate > 30 {
			t.Errorf("%s: chosen is %+v, problem %q", d.Path, c, d.Problem)
		}
	}
	if !slices.Equal(paths, want) {
		t.Errorf("the JSON lists %v, not %v", paths, want)
	}
	return fmt.Sprintf("%d of %d devices are cameras: %s", len(paths), len(nodes), strings.Join(paths, " "))
}
