package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/cli"
)

func TestNVR_TakesCamerasOfThisMachine(t *testing.T) {
	c := nvrCommand{
		Camera: []string{"desk=/dev/video0", "yard=rtsp://192.0.2.7/1?a=b", "door=v4l2:HD Webcam"}, Sub: []string{"door=/dev/video2"},
		Video: cli.Video{Size: "640x480"},
	}
	out, err := c.cameras()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"desk", "yard", "door"}, {"/dev/video0", "rtsp://192.0.2.7/1?a=b", "v4l2:HD Webcam"}, {"", "", "/dev/video2"}, {"640x480"}}
	if diff := cmp.Diff(want, [][]string{out.Name, out.URL, out.Sub, {out.Video.Size}}); diff != "" {
		t.Error(diff)
	}
	for _, address := range []string{"/dev/video0", "/dev/x=y", "v4l2:a=b", "rtsp://h/?a=b"} {
		c := nvrCommand{Camera: []string{address}}
		if _, err := c.cameras(); err == nil {
			t.Errorf("%s was taken for a name and an address", address)
		}
	}
}
