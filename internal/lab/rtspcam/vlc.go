package rtspcam

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/freeport"
)

// StartVLC starts VLC as a camera that sends H.264 over UDP and answers 461 to
// TCP, and returns its URL. It skips the test when VLC, ffmpeg (which makes the
// film) or setpriv (VLC does not run as root) is not installed.
func StartVLC(tb testing.TB) string {
	tb.Helper()
	for _, program := range []string{"cvlc", "ffmpeg", "setpriv"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(tb, program+" is not installed (vlc-bin vlc-plugin-base ffmpeg util-linux)")
		}
	}
	film := makeFilm(tb)
	port := freeport.Get(tb)
	ctx, cancel := context.WithCancel(context.Background())
	args := []string{"cvlc", "--intf", "dummy", "--no-plugins-cache", "--loop", film,
		"--sout", fmt.Sprintf("#rtp{sdp=rtsp://127.0.0.1:%d/film}", port), "--sout-keep"}
	if os.Geteuid() == 0 {
		args = append([]string{"setpriv", "--pdeathsig", "KILL", "--reuid", "65534", "--regid", "65534", "--clear-groups"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(film))
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		cancel()
		tb.Fatalf("start VLC: %v", err)
	}
	tb.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if tb.Failed() {
			tb.Logf("VLC's messages:\n%s", stderr.String())
		}
	})
	awaitPort(tb, port)
	return fmt.Sprintf("rtsp://127.0.0.1:%d/film", port)
}

// makeFilm makes ten seconds of H.264 with a key frame every half second.
func makeFilm(tb testing.TB) string {
	tb.Helper()
	// A directory of the test is open to its user alone, and VLC is another.
	dir, err := os.MkdirTemp("", "rtspcam") //nolint:usetesting // see above
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		tb.Fatal(err)
	}
	film := filepath.Join(dir, "film.mp4")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25",
		"-t", "10", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "12", "-pix_fmt", "yuv420p", film).CombinedOutput()
	if err != nil {
		tb.Fatalf("make a film: %v\n%s", err, out)
	}
	return film
}

// awaitPort returns when something accepts connections.
func awaitPort(tb testing.TB, port int) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ctx.Done():
			tb.Fatalf("nothing listens on port %d: %v", port, err)
		case <-tick.C:
		}
	}
}
