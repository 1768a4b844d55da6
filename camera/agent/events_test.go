package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
)

// nextEvent reads one server-sent event.
func nextEvent(t *testing.T, r *bufio.Scanner) cameraView {
	t.Helper()
	var v cameraView
	for r.Scan() {
		line := r.Text()
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			if err := json.Unmarshal([]byte(data), &v); err != nil {
				t.Fatal(err)
			}
		}
		if line == "" {
			return v
		}
	}
	t.Fatalf("the stream ended: %v", r.Err())
	return v
}

func TestEvents_TellEveryCameraThenWhatChanges(t *testing.T) {
	a, _ := newTestAgent(t, nil)
	srv := httptest.NewServer(a.ownRoutes)
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %v", res.Status, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	for _, id := range []string{"front", "hevc", "off"} {
		if v := nextEvent(t, lines); v.ID != id {
			t.Fatalf("got camera %q, want %q", v.ID, id)
		}
	}
	off := a.cameras.byID["off"]
	off.Hub(0).SetTracks([]codecs.Track{{Codec: codecs.H264, ClockRate: 90_000}, {Codec: codecs.AAC, ClockRate: 44_100}})
	done := make(chan struct{})
	go func() { // what the supervisor does when the camera answers
		defer close(done)
		_ = off.Run(ctx)
	}()
	if v := nextEvent(t, lines); v.ID != "off" || v.Codec != "H.264" || v.Audio != "" {
		t.Errorf("got %+v", v)
	}
	cancel()
	<-done
}

func TestEvents_EndWithTheAgent(t *testing.T) {
	a, _ := newTestAgent(t, nil)
	srv := httptest.NewServer(a.ownRoutes)
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL + "/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	nextEvent(t, lines)
	closed := a.closing
	go close(closed)
	for lines.Scan() {
		continue
	}
	a.closing = make(chan struct{}) // the clean-up closes it once more
}
