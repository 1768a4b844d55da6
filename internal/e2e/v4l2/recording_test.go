//go:build linux

package v4l2

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/vm"
)

// recorded is a device that a recorder keeps: its files are decoded outside.
func recorded(t *testing.T, w *world) string {
	const enough = 100 // pictures
	w.show(t, "/dev/video20", "H264", "-gop", "1s")
	w.agents++
	dir, state := fmt.Sprintf("/tmp/recordings-%d", w.agents), fmt.Sprintf("/tmp/recorder-%d", w.agents)
	address := fmt.Sprintf("%s:%d", vm.Address, 8000+w.agents)
	nvr := w.Start(t, vm.Command{Env: []string{"HOME=/tmp"}, Args: []string{
		plain, "nvr", "--dir", dir, "--state-dir", state, "--camera", "door=/dev/video20", "--listen", address, "--udp", vm.Address + ":0",
		"--no-mdns", "--no-port-map",
	}})
	link := nvr.WaitFor(t, `https://`+address+`/\S*#peer=\S+`, patience)[0]
	a := &agent{Program: nvr, w: w, state: state, link: link}
	seen := watch(t, a.dial(t)) // whoever watches sees what is recorded
	seen.await("", enough+150)  // of the last seconds not all is in a file
	nvr.Stop(t)
	files := w.Sh(t, "find "+dir+" -name '*.mp4'")
	pictures := 0
	for _, file := range strings.Fields(files) {
		pictures += w.inFile(t, file)
	}
	if pictures < enough {
		t.Errorf("%d pictures in the files, want %d at least; files: %s", pictures, enough, files)
	}
	return fmt.Sprintf("%d pictures decoded of what nvr wrote", pictures)
}

// inFile decodes a recording of the machine and returns the number of its pictures.
func (w *world) inFile(t *testing.T, path string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-f", "mp4", "-i", "pipe:", "-map", "0:v", "-fps_mode", "passthrough", "-f", "framehash", "-")
	cmd.Stdin, cmd.Stderr = strings.NewReader(w.Sh(t, "cat "+path)), &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("decode %s: %v\n%s", path, err, stderr.String())
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}
