package config

import (
	"encoding"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

func TestVideo_ValuesHaveBounds(t *testing.T) {
	var (
		format   PixelFormat
		size     Resolution
		rate     Rate
		bitrate  Bitrate
		interval KeyInterval
	)
	for _, c := range []struct {
		to        encoding.TextUnmarshaler
		good, bad string // separated by spaces
	}{
		{&format, "H264 hevc mjpeg Y16 Y16-BE 0x34363248 0xffffffff", " H.264x 0x 0x0 0x100000000 H\x01 YUYVY -BE ÄÖ"},
		{&size, "16x16 1280x720 1280X720 1280×720 8192x8192", " 1280 x 1280x 15x16 16x8194 1281x720 -16x16 +16x16 1280x720x1 1e3x16 70000x16"},
		{&rate, "0.1 30 29.97 240", " 0 0.09 240.1 -1 NaN inf 30fps 1/30"},
		{&bitrate, "50k 50000 0.05M 2.5M 100M 100000000", " 0 49k 101M -1M NaNM infM 3m 3Mbit 3G k M 3kM"},
		{&interval, "0.2s 200ms 2s 1m 60s", " 0 2 199ms 61s -2s 1d 2seconds"},
	} {
		for text := range strings.SplitSeq(c.good, " ") {
			if err := c.to.UnmarshalText([]byte(text)); err != nil {
				t.Errorf("%T %q: %v", c.to, text, err)
			}
		}
		for text := range strings.SplitSeq(c.bad, " ") {
			if err := c.to.UnmarshalText([]byte(text)); err == nil {
				t.Errorf("%T: %q was accepted", c.to, text)
			}
		}
	}
	if err := bitrate.UnmarshalText([]byte("2.345678M")); err != nil || bitrate != 2_345_678 {
		t.Errorf("%d bit/s, %v", bitrate, err)
	}
	if err := interval.UnmarshalText([]byte("1.5s")); err != nil || interval.Std() != 1500*time.Millisecond {
		t.Errorf("%v, %v", interval.Std(), err)
	}
}

// What is accepted here is understood by the source.
func FuzzPixelFormat(f *testing.F) {
	for _, s := range []string{"H264", "mjpeg", "Y16-BE", "0x34363248", "", "a b", "0x", "-BE"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p PixelFormat
		if p.UnmarshalText([]byte(text)) != nil {
			return
		}
		if fourCC, err := uapi.ParseFourCC(string(p)); err != nil || fourCC == 0 {
			t.Errorf("%q: %v, %v", p, fourCC, err)
		}
	})
}

func TestParse_VideoMistakesNameLineAndRemedy(t *testing.T) {
	_, err := Parse([]byte(strings.TrimLeft(`
cameras:
  - url: video0
    sub: /dev/video2
    video:
      format: MOTION-JPEG
      size: 1281x720
      rate: 1000
      bitrate: 3
      keyInterval: 2
      fps: 30
`, "\n")))
	want := []string{
		"line 2: cameras[0].url: is no address; write /dev/video0 for that camera of this machine",
		"line 5: cameras[0].video.format: must be the four letters of a format, such as H264, MJPG or YUYV",
		"line 6: cameras[0].video.size: must be width and height such as 1280x720, each even and from 16 to 8192",
		"line 7: cameras[0].video.rate: must be a number of pictures a second such as 30, from 0.1 to 240",
		"line 8: cameras[0].video.bitrate: must be bits a second such as 3M or 800k, from 50k to 100M",
		"line 9: cameras[0].video.keyInterval: must be a time such as 2s or 500ms, from 0.2s to 60s",
		"line 10: cameras[0].video.fps: unknown key; known here: format, size, rate, bitrate, keyInterval",
	}
	if diff := cmp.Diff(want, texts(t, err)); diff != "" {
		t.Error(diff)
	}
}

func TestComplete_SettingsGoWithTheKindOfCamera(t *testing.T) {
	path := write(t, "s.yaml", strings.TrimLeft(`
open: true
cameras:
  - url: /dev/video0
    sub: v4l2:Second
    transport: auto
    username: admin
    passwordFile: missing
    passwordEnv: NOT_SET
    tls: {insecure: true}
  - url: rtsp://h
    video: {rate: 30}
    subVideo: {rate: 5}
  - url: rtsp://h
    sub: rtsp://h/2
    subVideo: {size: 640x360}
  - url: v4l2:/dev/video0
  - url: rtsp://h
    sub: v4l2:Second
  - url: /dev/video4
    sub: /dev/video4
`, "\n"))
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	warnings, err := c.Complete()
	at := func(line string) string { return path + ":" + line }
	const network = "is for cameras in the network (rtsp://…), and /dev/video0 is one of this machine; remove it"
	const device = "is for a camera of this machine (/dev/video0); what a camera in the network sends is set in the camera: remove it"
	const once = ", and a device gives its pictures once; one camera serves all its viewers: remove this one"
	want := []string{
		at("5: cameras[0].transport: " + network),
		at("6: cameras[0].username: " + network),
		at("7: cameras[0].passwordFile: " + network),
		at("8: cameras[0].passwordEnv: " + network),
		at("9: cameras[0].tls: " + network),
		at("11: cameras[1].video: " + device),
		at("12: cameras[1].subVideo: there is no second stream; give its address in sub, or remove it"),
		at("15: cameras[2].subVideo: " + device),
		at("16: cameras[3].url: /dev/video0 is also cameras[0].url" + once),
		at("18: cameras[4].sub: v4l2:Second is also cameras[0].sub" + once),
		at("20: cameras[5].sub: /dev/video4 is also cameras[5].url" + once),
	}
	if diff := cmp.Diff(want, texts(t, err)); diff != "" {
		t.Error(diff)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings %q", warnings)
	}
}

func TestComplete_DevicesStandBesideCamerasOfTheNetwork(t *testing.T) {
	c := minimal(t)
	c.Cameras = []Camera{
		{URL: mustAddress(t, "/dev/video0"), Sub: mustAddress(t, "/dev/video2"), Video: Video{Rate: 30}, SubVideo: Video{Rate: 15}},
		{URL: mustAddress(t, "rtsp://h"), Transport: TransportTCP},
		{URL: mustAddress(t, "v4l2:Door"), Sub: mustAddress(t, "rtsp://admin@h"), Password: NewSecret(password)},
		{URL: mustAddress(t, "rtsp://h")}, // twice: each is a connection of its own
	}
	warnings, err := c.Complete()
	if err != nil || len(warnings) > 0 {
		t.Fatal(warnings, err)
	}
	var got []string
	for _, cam := range c.Cameras {
		got = append(got, strings.TrimSpace(cam.ID+" "+string(cam.Transport)+" "+cam.Username))
	}
	if diff := cmp.Diff([]string{"cam1", "cam2 tcp", "cam3 auto admin", "cam4 auto"}, got); diff != "" {
		t.Error(diff)
	}
}
