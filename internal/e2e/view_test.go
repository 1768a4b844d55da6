package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

// The second kind of viewer: a program, which finds the agent through
// signaling by its link.
func TestView_WritesVideoThatAnotherDecoderPlays(t *testing.T) {
	ffprobe := lookup(t, "ffprobe")
	_, link := demo(t)
	file := filepath.Join(t.TempDir(), "video.h264")
	viewer := start(t, binary(t, "sightline"), "view", link, "--state-dir", t.TempDir(), "--duration", "4s", "-o", file)
	if !viewer.ended(startTimeout) {
		t.Fatal("sightline view did not end by itself")
	}
	out, err := exec.CommandContext(t.Context(), ffprobe, "-v", "error", "-count_frames", "-show_streams", "-of", "json", file).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	var probe struct {
		Streams []struct {
			Codec  string `json:"codec_name"`
			Width  int    `json:"width"`
			Frames int    `json:"nb_read_frames,string"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(out, &probe); err != nil {
		t.Fatal(err)
	}
	if len(probe.Streams) != 1 || probe.Streams[0].Codec != "h264" || probe.Streams[0].Width != 1280 || probe.Streams[0].Frames < 50 {
		t.Errorf("ffprobe says %+v", probe)
	}
}
