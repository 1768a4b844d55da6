//go:build device && cgo && openh264

package encoder

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Two warnings for each encoder cannot be turned off; there is nothing else.
func TestOpenH264_SaysLittleOnStandardError(t *testing.T) {
	said := strings.TrimSpace(complaints(t))
	lines := strings.Split(said, "\n")
	if len(lines) > 2 {
		t.Errorf("%d lines on standard error:\n%s", len(lines), said)
	}
}

// There is no faster OpenH264; the log says so once.
func TestOpenH264_ASlowComputerIsTold(t *testing.T) {
	f := shoot(t, 320, 240, 20, 2)
	var log bytes.Buffer
	s := f.settings("YU12")
	s.Rate, s.Logger = 10, slog.New(slog.NewTextHandler(&log, nil))
	e := start(t, s)
	var now time.Time
	e.now = func() time.Time { now = now.Add(150 * time.Millisecond); return now }
	for range 5 {
		encode(t, e, f.frames)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "choose a smaller size") {
		t.Errorf("the log has %d lines:\n%s", n, log.String())
	}
}
