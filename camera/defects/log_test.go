package defects_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera/defects"
)

func TestLog_OneLineAMinuteOfEachKind(t *testing.T) {
	var text bytes.Buffer
	l := defects.New(slog.New(slog.NewTextHandler(&text, nil)))
	begin := time.Now()
	for i := range 90 { // seconds
		l.Count("lost packets", 2, "", begin.Add(time.Duration(i)*time.Second))
	}
	l.Count("unreadable packets", 1, "too short", begin)
	for _, want := range []string{
		`what="lost packets" new=2 total=2`, `what="lost packets" new=120 total=122`,
		`what="unreadable packets" new=1 total=1 last="too short"`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in:\n%s", want, text.String())
		}
	}
	if n := strings.Count(text.String(), "\n"); n != 3 {
		t.Errorf("%d lines, want 3", n)
	}
}
