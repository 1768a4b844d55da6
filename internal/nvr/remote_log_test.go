package nvr

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestQuiet_LogsForThoseWhoLookForAFault(t *testing.T) {
	var out bytes.Buffer
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		log := Quiet(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))).With("a", 1).WithGroup("g")
		log.Warn("something", "b", 2)
	}
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=DEBUG msg=something a=1 g.b=2") {
		t.Error(got)
	}
}
