package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/nvr"
)

// nvrCommand records cameras, and publishes them as the command camera does.
type nvrCommand struct {
	Dir        []string `help:"Folder for the recordings; several may be given." sep:"none" placeholder:"DIR"`
	Camera     []string `help:"Camera to record, by name and address; several may be given. A camera of this machine is NAME=/dev/video0." sep:"none" placeholder:"NAME=rtsp://…"`
	Sub        []string `help:"Second stream of a camera at a lower rate." sep:"none" placeholder:"NAME=rtsp://…"`
	Remote     []string `help:"Agent elsewhere whose cameras are recorded, by the link that it printed or that an invitation has." sep:"none" placeholder:"LINK"`
	Keep       string   `help:"Delete what is older. Default: when the room is needed." placeholder:"30d"`
	KeepEvents string   `help:"Keep what belongs to an event longer." placeholder:"90d"`
	MaxBytes   string   `help:"How much is kept of each camera." placeholder:"500GB"`
	MinFree    string   `help:"How much of each disk is left to others. Default 5 %, at most 20 GB." placeholder:"20GB"`
	SyncEvery  string   `help:"How much a power cut may cost. Default 1s." placeholder:"1s"`
	Rendition  []string `help:"What is recorded: main, sub, or both. Default main." sep:"none" placeholder:"main"`
	NoAudio    bool     `help:"Record no sound."`
	OnEvent    bool     `help:"Record only when something happens."`
	NoSign     bool     `help:"Do not sign the pictures with this device's key (ONVIF media signing)."`

	Address cli.Address `embed:""`
	Network cli.Network `embed:""`
	Login   cli.Login   `embed:""`
	Video   cli.Video   `embed:""`
	Viewers cli.Viewers `embed:""`
	Log     cli.Log     `embed:""`
	Config  string      `help:"Read settings and further cameras from a YAML file; flags take precedence." placeholder:"FILE"`
}

// Run implements the command.
func (c *nvrCommand) Run(ctx context.Context, p *cli.Process) error {
	cam, err := c.cameras()
	if err != nil {
		return err
	}
	ready, err := cam.Prepare(ctx, p, c.adjust)
	if err != nil {
		return err
	}
	defer ready.Close()
	if len(ready.Config.Recording.Dirs) == 0 {
		return errors.Join(errors.New("there is no folder for recordings; name one with --dir, or in recording.dirs"), ready.Options.Listener.Close())
	}
	ready.Embed = embed
	ready.Intro = intro(ready.Config)
	o := nvr.Options{
		StateDir: ready.Config.StateDir, Recording: ready.Config.Recording, Cameras: recorded(ready.Options.Cameras, ready.Config),
	}
	if err := withRemotes(p, ready, &o); err != nil {
		return errors.Join(err, ready.Options.Listener.Close())
	}
	return recordAndPublish(ctx, p, ready.Publication, o)
}

// intro says in a line what is kept where.
func intro(cfg *config.Config) string {
	what := "Recording one camera"
	if n := len(cfg.Cameras); n != 1 {
		what = fmt.Sprintf("Recording %d cameras", n)
	}
	if n := len(cfg.Remotes); n > 0 {
		what += fmt.Sprintf(" and those of %d agents elsewhere", n)
	}
	until := "until the room is needed"
	if keep := cfg.Recording.Defaults.Keep.Std(); keep > 0 {
		until = fmt.Sprintf("for %.4g days", keep.Hours()/24)
	}
	return fmt.Sprintf("%s to %s, kept %s. Watch, and go back in time:", what, strings.Join(cfg.Recording.Dirs, " and "), until)
}

// cameras turns NAME=ADDRESS into what the command camera has.
func (c *nvrCommand) cameras() (*cli.Camera, error) {
	out := &cli.Camera{
		Address: c.Address, Network: c.Network, Login: c.Login, Video: c.Video, Viewers: c.Viewers, Log: c.Log, Config: c.Config,
		Keep: cli.Keep{NoSign: c.NoSign, NoSpool: true}, // it records itself
	}
	subs := make(map[string]string)
	for _, text := range c.Sub {
		name, address, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, errors.New("--sub takes the name of a camera and an address: front=rtsp://192.0.2.7/stream2")
		}
		subs[name] = address
	}
	for i, text := range c.Camera {
		name, address, ok := strings.Cut(text, "=")
		if !ok || name == "" || strings.Contains(name, "://") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "v4l2:") {
			return nil, fmt.Errorf("--camera %d is no name and address; write it as front=rtsp://192.0.2.7/stream1 or desk=/dev/video0", i+1)
		}
		out.Name, out.URL, out.Sub = append(out.Name, name), append(out.URL, address), append(out.Sub, subs[name])
		delete(subs, name)
	}
	for name := range subs {
		return nil, fmt.Errorf("--sub names the camera %q, and no --camera does", name)
	}
	return out, nil
}

// adjust lays the flags over the settings.
func (c *nvrCommand) adjust(cfg *config.Config) error {
	r := &cfg.Recording
	r.Dirs = append(r.Dirs, c.Dir...)
	for _, f := range []struct {
		flag, text string
		to         interface{ UnmarshalText(text []byte) error }
	}{
		{"--keep", c.Keep, &r.Defaults.Keep}, {"--keep-events", c.KeepEvents, &r.Defaults.KeepEvents},
		{"--max-bytes", c.MaxBytes, &r.Defaults.MaxBytes}, {"--min-free", c.MinFree, &r.MinFree},
		{"--sync-every", c.SyncEvery, &r.SyncEvery},
	} {
		if f.text == "" {
			continue
		}
		if err := f.to.UnmarshalText([]byte(f.text)); err != nil {
			return fmt.Errorf("%s: %w", f.flag, err)
		}
	}
	if len(c.Rendition) > 0 {
		r.Defaults.Renditions = c.Rendition
	}
	r.Defaults.NoAudio = r.Defaults.NoAudio || c.NoAudio
	r.Defaults.OnEvent = r.Defaults.OnEvent || c.OnEvent
	for _, link := range c.Remote {
		cfg.Remotes = append(cfg.Remotes, config.Remote{Link: link})
	}
	return nil
}

// recorded pairs cameras with what the settings say of them.
func recorded(cameras []*camera.Camera, cfg *config.Config) []nvr.Camera {
	out := make([]nvr.Camera, 0, len(cameras))
	for _, c := range cameras {
		of := nvr.Camera{Camera: c, Signed: !cfg.NoSign}
		for i := range cfg.Cameras {
			if cfg.Cameras[i].ID == c.ID() {
				of.Settings = cfg.Cameras[i].Recording
			}
		}
		out = append(out, of)
	}
	return out
}

// recordAndPublish runs an agent and a recorder of its cameras until ctx ends.
func recordAndPublish(ctx context.Context, p *cli.Process, pub cli.Publication, o nvr.Options) (err error) {
	o.Standing = agent.Standing(pub.Options.Trust, pub.Options.AllowList)
	o.CameFrom, o.Log, o.Version, o.Logger = agent.CameFrom, pub.Options.Log, p.Version, pub.Options.Logger
	n, err := nvr.Open(ctx, o)
	if err != nil {
		return errors.Join(err, pub.Options.Listener.Close())
	}
	pub.Options.Extra, pub.Options.Metrics = append(pub.Options.Extra, n.Routes()...), n.Metrics
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := n.Run(ctx); err != nil {
			cancel(err)
		}
	})
	remotes, err := n.PublishRemotes(ctx)
	if err == nil {
		pub.Options.Cameras = append(pub.Options.Cameras, remotes...)
		err = cli.Publish(ctx, p, pub)
	} else {
		err = errors.Join(err, pub.Options.Listener.Close())
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	cancel(nil)
	wg.Wait()
	return errors.Join(err, n.Close(context.WithoutCancel(ctx)))
}
