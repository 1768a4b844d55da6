package cli

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

func TestLookAt_SaysWhatEachCameraShows(t *testing.T) {
	picture, err := rtspcam.Picture(testpattern.Options{Width: 640, Height: 360})
	if err != nil {
		t.Fatal(err)
	}
	locked := &rtspcam.Fake{Status: map[string]string{"DESCRIBE": "401 Unauthorized"}}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	good := address(t, picture.Start(t))
	cameras := []config.Camera{
		{Name: "good", URL: good, Sub: good},
		{Name: "locked", URL: address(t, locked.Start(t)), Sub: good},
		{Name: "gone", URL: address(t, "rtsp://"+closed.Addr().String()+"/")},
		{Name: "stuck", URL: address(t, rtspcam.StartListener(t, rtspcam.Silent))},
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	looks := LookAt(ctx, cameras)
	if len(looks) != 5 {
		t.Fatalf("%d looks: %+v", len(looks), looks)
	}
	for i, l := range looks[:2] {
		if l.Problem != "" || l.Codec != "H.264" || l.Width != 640 || l.Height != 360 || l.PictureMs == 0 || l.Second != (i == 1) {
			t.Errorf("the good camera: %+v", l)
		}
	}
	for i, want := range []string{"password", "refused the connection", "does not answer"} {
		if l := looks[2+i]; l.Codec != "" || l.Second || !strings.Contains(l.Problem, want) {
			t.Errorf("%s: %+v, want %q", l.Camera, l, want)
		}
	}
}

func TestLookAt_EndsWithItsContext(t *testing.T) {
	stuck := address(t, rtspcam.StartListener(t, rtspcam.Silent))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, l := range LookAt(ctx, make100(stuck)) {
		if l.Problem == "" {
			t.Errorf("it saw %+v", l)
		}
	}
}

func make100(u config.Address) (list []config.Camera) {
	for range 100 {
		list = append(list, config.Camera{Name: "stuck", URL: u})
	}
	return list
}

func address(t *testing.T, text string) config.Address {
	t.Helper()
	u, err := config.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
