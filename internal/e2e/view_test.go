package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// The second kind of viewer: a program, which finds the agent through
// signaling by its link.
func TestView_WritesVideoThatAnotherDecoderPlays(t *testing.T) {
	_, link := demo(t)
	if got := view(t, link); got.Codec != "h264" || got.Width != 1280 || got.Frames < 50 {
		t.Errorf("ffprobe says %+v", got)
	}
}

// H.265 goes to viewers that can play it, and this one can.
func TestView_TakesH265(t *testing.T) {
	s := newSite(t, rtspcam.StartGStreamer(t).URL(rtspcam.Open, "h265"))
	if got := view(t, s.link); got.Codec != "hevc" || got.Frames < 50 {
		t.Errorf("ffprobe says %+v", got)
	}
}

// recording is what ffprobe says of a file.
type recording struct {
	Codec  string `json:"codec_name"`
	Width  int    `json:"width"`
	Frames int    `json:"nb_read_frames,string"`
}

// view watches for four seconds and returns what another decoder makes of it.
func view(t *testing.T, link string) recording {
	t.Helper()
	ffprobe := lookup(t, "ffprobe")
	file := filepath.Join(t.TempDir(), "video")
	viewer := start(t, binary(t, "sightline"), "view", link, "--state-dir", t.TempDir(), "--duration", "4s", "-o", file)
	if !viewer.ended(startTimeout) {
		t.Fatal("sightline view did not end by itself")
	}
	out, err := exec.CommandContext(t.Context(), ffprobe, "-v", "error", "-count_frames", "-show_streams", "-of", "json", file).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	var probe struct {
		Streams []recording `json:"streams"`
	}
	if err := json.Unmarshal(out, &probe); err != nil {
		t.Fatal(err)
	}
	if len(probe.Streams) != 1 {
		t.Fatalf("ffprobe says %+v", probe)
	}
	return probe.Streams[0]
}
