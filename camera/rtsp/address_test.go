package rtsp

import (
	"errors"
	"strings"
	"testing"
)

func TestAddress_QueryIsNeverShown(t *testing.T) {
	// Cameras have many names for what is a password in their queries.
	a, err := parseAddress("rtsp://192.0.2.7/live?loginuse=admin&loginpas=hunter2&ch=1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	full := a.url.String()
	for _, text := range []string{
		a.String(),
		a.redact("invalid URL: " + full),
		a.explain(describing, errors.New("bad answer to "+full)).Error(),
	} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "192.0.2.7") {
			t.Errorf("shown: %s", text)
		}
	}
	if got, want := a.String(), "rtsp://192.0.2.7/live?…"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
