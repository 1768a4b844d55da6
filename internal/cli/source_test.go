package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/rtsp"
	"github.com/sightline-cam/sightline/camera/v4l2"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// nowhere takes what a source hands on.
type nowhere struct{}

func (nowhere) SetTracks([]codecs.Track) {}
func (nowhere) WriteUnit(*codecs.Unit)   {}
func (nowhere) Warn(string, string)      {}

var _ camera.Output = nowhere{}

// camerasOf returns the cameras of a command line.
func camerasOf(t *testing.T, args ...string) ([]config.Camera, error) {
	t.Helper()
	c := parsed(t, append(args, "--open", "--state-dir", t.TempDir())...)
	cfg, _, err := c.settings(nil)
	if err != nil {
		return nil, err
	}
	return cfg.Cameras, nil
}

func TestSource_IsOfTheKindOfItsAddress(t *testing.T) {
	cameras, err := camerasOf(t, "rtsp://192.0.2.1/s", "/dev/video0", "--sub", "v4l2:HD Webcam")
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range []stream{mainOf(&cameras[0]), mainOf(&cameras[1]), subOf(&cameras[0])} {
		src, err := s.source(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, network := src.(*rtsp.Source)
		_, device := src.(*v4l2.Source)
		if network != (i == 0) || device == network {
			t.Errorf("%s: %T", s.address, src)
		}
	}
}

func TestSource_DeviceIsRunAsTheFlagsSay(t *testing.T) {
	cameras, err := camerasOf(t, "/dev/video0", "--format=h264", "--size=640x360", "--rate=15", "--bitrate=1.5M", "--key-interval=4s")
	if err != nil {
		t.Fatal(err)
	}
	k := fakev4l2.New()
	d := webcam()
	d.Formats[1].Sizes[0] = fakev4l2.Discrete(640, 360, 30, 15)
	n := k.Add("/dev/video0", d)
	src, err := mainOf(&cameras[0]).deviceSource(k, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- src.Run(ctx, nowhere{}) }()
	if err := n.WaitStreaming(ctx); err != nil {
		t.Fatal(err, <-done)
	}
	f := n.Format()
	got := []any{f.FourCC, f.Width, f.Height, n.Interval(), n.Value(uapi.ControlBitrate), n.Value(uapi.ControlGOPSize)}
	want := []any{uapi.H264, uint32(640), uint32(360), uapi.Fraction{Numerator: 1, Denominator: 15}, int64(1_500_000), int64(60)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	cancel()
	<-done
}

func TestCamera_FlagsGoWithTheKindOfCamera(t *testing.T) {
	both := []string{"rtsp://192.0.2.1/s", "/dev/video0"}
	cameras, err := camerasOf(t, append(both, "--transport=tcp", "--username=admin", "--rate=25")...)
	if err != nil {
		t.Fatal(err)
	}
	if cameras[0].Video != (config.Video{}) || cameras[1].Video != (config.Video{Rate: 25}) {
		t.Errorf("%+v", cameras)
	}
	if cameras[0].Username != "admin" || cameras[0].Transport != "tcp" || cameras[1].Username != "" || cameras[1].Transport != "" {
		t.Errorf("%+v", cameras)
	}
	t.Setenv(passwordVariable, "of another camera")
	if _, err := camerasOf(t, "/dev/video0"); err != nil {
		t.Error(err)
	}
	const login, video = "are for cameras in the network", "are for a camera of this machine"
	for text, want := range map[string]string{
		"/dev/video0 --transport tcp":                login,
		"/dev/video0 --username a --sub /dev/video2": login,
		"/dev/video0 --insecure":                     login,
		"rtsp://h --size 640x480":                    video,
		"rtsp://h --bitrate 1M --sub /dev/video0":    video,
		"--rate 5":                                        "no camera: give its address",
		"/dev/video0 --size 640":                          "--size must be width and height",
		"/dev/video0 --format TOO-LONG":                   "--format must be the four letters",
		"/dev/video0 --rate fast":                         "--rate must be a number",
		"/dev/video0 --bitrate 3G":                        "--bitrate must be bits a second",
		"/dev/video0 --key-interval 2":                    "--key-interval must be a time",
		"video0":                                          "the address of camera 1 is no address; write /dev/video0",
		"/dev/video0 --sub video2":                        "the --sub address of camera 1 is no address; write /dev/video2",
		"/dev/video0 v4l2:/dev/video0":                    "one camera serves all its viewers",
		"/dev/video0 --sub v4l2:///dev/video0":            "one camera serves all its viewers",
		"rtsp://h --sub /dev/video0 v4l2:x --sub v4l2:x":  "one camera serves all its viewers",
		"rtsp://h --sub /dev/video0 --format H264 rtsp:x": "the address of camera 2",
	} {
		if cameras, err := camerasOf(t, strings.Fields(text)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", text, cameras, err)
		}
	}
}

func TestCamera_AsksNobodyForThePasswordOfADevice(t *testing.T) {
	for text, want := range map[string]bool{
		"/dev/video0": false, "/dev/video0 v4l2:x --sub /dev/video2": false,
		"": true, "rtsp://h": true, "/dev/video0 rtsp://admin@h": true, "/dev/video0 --sub rtsp://h": true, "video0": true,
	} {
		c := parsed(t, strings.Fields(text)...)
		if user, ask := c.whom(); ask != want || (user == "admin") != strings.Contains(text, "admin") {
			t.Errorf("%q: %q, %v", text, user, ask)
		}
	}
}

func TestLookAt_SaysWhatIsWrongWithADevice(t *testing.T) {
	c := config.Camera{Name: "desk", URL: address(t, "/dev/video250")}
	looks := LookAt(t.Context(), []config.Camera{c})
	if len(looks) != 1 || looks[0].Address != "/dev/video250" || !strings.Contains(looks[0].Problem, "there is no /dev/video250") || looks[0].Busy {
		t.Errorf("%+v", looks)
	}
}

func TestStream_TellsBusyDevicesApart(t *testing.T) {
	k := fakev4l2.New()
	k.Add("/dev/video0", webcam()).SetBusy(true)
	s := stream{camera: &config.Camera{}, address: address(t, "/dev/video0")}
	src, err := s.deviceSource(k, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, busy := s.problem(src.Run(t.Context(), nowhere{}), false); !busy || !strings.Contains(text, "in use") {
		t.Errorf("%s, %v", text, busy)
	}
	for answered, want := range map[bool]string{true: "no picture that one can begin with", false: "/dev/video0 did not answer"} {
		if text, busy := s.problem(context.DeadlineExceeded, answered); busy || !strings.Contains(text, want) {
			t.Errorf("%s, %v", text, busy)
		}
	}
}
