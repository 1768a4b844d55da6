package main

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// A device that is not there is told to the terminal in one line and to viewers as the
// camera's status; the agent goes on, since it may be plugged in.
func TestCamera_DeviceThatIsNotThereIsOffline(t *testing.T) {
	const sentence = "there is no /dev/video250; plug the camera in"
	p := launch(t, "", nil, "camera", "--state-dir", t.TempDir(), "--listen", "127.0.0.1:0", "--open", "--size", "640x480", "/dev/video250")
	deadline := time.After(patience)
	for tick := time.Tick(50 * time.Millisecond); ; {
		cameras := p.get(t, "/v1/cameras")
		if strings.Contains(cameras, `"state":"offline"`) && strings.Contains(cameras, sentence) {
			break
		}
		select {
		case <-tick:
		case <-deadline:
			t.Fatalf("%s\n%s", cameras, p.output)
		}
	}
	p.stop(t, syscall.SIGTERM)
	if n := strings.Count(p.output.String(), sentence); n != 1 {
		t.Errorf("said %d times:\n%s", n, p.output)
	}
}
