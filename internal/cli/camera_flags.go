package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/sightline-cam/sightline/internal/config"
)

// addresses returns those of the command line.
func (c *Camera) addresses() []string {
	if text := os.Getenv("SIGHTLINE_URL"); len(c.URL) == 0 && text != "" {
		return []string{text}
	}
	return c.URL
}

// cameras returns those of the command line; none says that there may be none.
func (c *Camera) cameras(none bool) ([]config.Camera, error) {
	urls := c.addresses()
	switch n := len(urls); {
	case len(c.Name) > n:
		return nil, fmt.Errorf("--name is given %d times for %d addresses; give the address of each camera, for example rtsp://192.0.2.7/stream1", len(c.Name), n)
	case len(c.Sub) > n:
		return nil, fmt.Errorf("--sub is given %d times for %d addresses; give the camera's own address too", len(c.Sub), n)
	case n == 0 && c.Config == "" && !none:
		return nil, errors.New("no camera: give its address, for example rtsp://192.0.2.7/stream1 or /dev/video0, or a file with --config; " +
			"camera --list shows the cameras of this machine")
	case n == 0 && c.Login != (Login{}):
		return nil, errors.New("flags about a camera's login need its address; for cameras in a file write them there")
	}
	out := make([]config.Camera, 0, len(urls))
	for i, text := range urls {
		var cam config.Camera
		var err error
		if cam.URL, err = config.ParseAddress(text); err != nil {
			return nil, fmt.Errorf("the address of camera %d %w", i+1, err)
		}
		if i < len(c.Sub) && c.Sub[i] != "" {
			if cam.Sub, err = config.ParseAddress(c.Sub[i]); err != nil {
				return nil, fmt.Errorf("the --sub address of camera %d %w", i+1, err)
			}
		}
		if i < len(c.Name) {
			cam.Name = c.Name[i]
		}
		out = append(out, cam)
	}
	if err := c.forNetwork(out); err != nil {
		return nil, err
	}
	return out, c.forDevices(out)
}

// forNetwork lays the flags that are about cameras in the network over those.
func (c *Camera) forNetwork(cameras []config.Camera) error {
	passwordEnv := c.Login.PasswordEnv
	if passwordEnv == "" && c.Login.PasswordFile == "" && c.password.IsZero() && os.Getenv(passwordVariable) != "" {
		passwordEnv = passwordVariable
	}
	there := false
	for i := range cameras {
		cam := &cameras[i]
		if !inNetwork(cam.URL) && !inNetwork(cam.Sub) {
			continue
		}
		there = true
		cam.Transport, cam.Username = config.Transport(c.Login.Transport), c.Login.Username
		cam.Password, cam.PasswordFile, cam.PasswordEnv = c.password, c.Login.PasswordFile, passwordEnv
		cam.TLS = config.TLS{Fingerprint: c.Login.Fingerprint, Insecure: c.Login.Insecure}
	}
	if !there && len(cameras) > 0 && c.Login != (Login{}) {
		return errLoginOfDevice
	}
	return nil
}

// errLoginOfDevice refuses to log in where nobody asks for a password.
var errLoginOfDevice = errors.New("flags about passwords, TLS and transport are for cameras in the network (rtsp://…); leave them out for a camera of this machine")

func inNetwork(a config.Address) bool { return !a.IsZero() && !a.IsDevice() }

// forDevices lays the flags that are about cameras of this machine over those.
func (c *Camera) forDevices(cameras []config.Camera) error {
	video, err := c.Video.settings()
	if err != nil || video == (config.Video{}) {
		return err
	}
	there := false
	for i := range cameras {
		if cameras[i].URL.IsDevice() {
			cameras[i].Video, there = video, true
		}
	}
	if !there {
		return errors.New("--format, --size, --rate, --bitrate and --key-interval are for a camera of this machine, and none is given (/dev/video0); " +
			"what a camera in the network sends is set in the camera, and for cameras in a file they are written there")
	}
	return nil
}
