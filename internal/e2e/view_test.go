package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// The second kind of viewer: a program, which finds the agent through
// signaling by its link.
func TestView_WritesVideoThatAnotherDecoderPlays(t *testing.T) {
	t.Parallel()
	_, link := demo(t)
	if got := view(t, link); got.Codec != "h264" || got.Width != 1280 || got.Frames < 100 {
		t.Errorf("ffprobe says %+v", got)
	}
}

// H.265 goes to viewers that can play it, and this one can.
func TestView_TakesH265(t *testing.T) {
	t.Parallel()
	s := newSite(t, rtspcam.StartGStreamer(t).URL(rtspcam.Open, "h265"))
	if got := view(t, s.link); got.Codec != "hevc" || got.Frames < 100 {
		t.Errorf("ffprobe says %+v", got)
	}
}

// recording is what ffprobe says of a file.
type recording struct {
	Codec  string `json:"codec_name"`
	Width  int    `json:"width"`
	Frames int    `json:"nb_read_frames,string"`
}

// view watches until it has a hundred pictures, and returns what another decoder
// makes of them.
func view(t *testing.T, link string) recording {
	t.Helper()
	ffprobe := lookup(t, "ffprobe")
	file := filepath.Join(t.TempDir(), "video")
	viewer := start(t, binary(t), "view", link, "--state-dir", t.TempDir(), "-o", file)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(liveTimeout); pictures(file) < 100; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("sightline view wrote %d pictures within %v", pictures(file), liveTimeout)
		}
	}
	viewer.stop(t)
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

// pictures counts the pictures in a file of H.264 or H.265 that is being written,
// which begins with parameter sets: of both codecs the first slice of a picture has
// a one as the first bit behind the header of its NAL unit.
func pictures(file string) (n int) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0 // not there yet
	}
	units := bytes.Split(data, []byte{0, 0, 1})[1:]
	for _, u := range units {
		switch {
		case len(u) < 3:
		case units[0][0]&0x1f == 7: // H.264 begins with a sequence parameter set (7.4.1)
			if kind := u[0] & 0x1f; (kind == 1 || kind == 5) && u[1]&0x80 != 0 {
				n++
			}
		case u[0]>>1 < 32 && u[2]&0x80 != 0: // H.265, 7.4.2.2
			n++
		}
	}
	return n
}
