package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/internal/config"
)

// Run publishes the cameras until ctx ends, or lists those of this machine.
func (c *Camera) Run(ctx context.Context, p *Process, embed Embed) error {
	if c.List || c.JSON {
		return c.list(p, uapi.Linux())
	}
	ready, err := c.Prepare(ctx, p, nil)
	if err != nil {
		return err
	}
	defer ready.Close()
	ready.Embed = embed
	return Publish(ctx, p, ready.Publication)
}

// Prepared is an agent to publish, with everything opened that it needs.
type Prepared struct {
	Publication
	// Config is what the flags and the file say, complete.
	Config *config.Config

	device *device
}

// Close gives back what Publish did not take. After Publish it must be called too.
func (r *Prepared) Close() { r.device.close() }

// Prepare opens what the agent needs. adjust, if not nil, lays further flags over
// the settings before they are completed. If Publish is not called then, whoever
// calls Prepare closes Options.Listener.
func (c *Camera) Prepare(ctx context.Context, p *Process, adjust func(*config.Config) error) (*Prepared, error) {
	if err := c.askFirst(ctx, p); err != nil {
		return nil, err
	}
	cfg, warnings, err := c.settings(adjust)
	if err != nil {
		return nil, err
	}
	log := p.Logger(cfg.LogLevel, cfg.LogFormat)
	for _, w := range warnings {
		log.Warn("check the settings", "problem", w.String())
	}
	device, err := openDevice(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	r := &Prepared{Config: cfg, device: device}
	if err := c.fill(ctx, p, r, log); err != nil {
		device.close()
		return nil, err
	}
	return r, nil
}

// fill makes the publication.
func (c *Camera) fill(ctx context.Context, p *Process, r *Prepared, log *slog.Logger) error {
	cfg, device := r.Config, r.device
	cameras, err := c.open(ctx, p, cfg, device, log)
	if err != nil {
		return err
	}
	certificate, err := listenerCertificate(cfg, log)
	if err != nil {
		return err
	}
	udp, err := device.udpAddress(ctx, cfg)
	if err != nil {
		return err
	}
	key, err := device.directKey(cfg)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	r.Publication = Publication{
		Options: agent.Options{
			Identity: device.id, Cameras: cameras, Open: cfg.Open, AllowFile: cfg.Allow, AllowList: device.list,
			Trust: device.trust, Log: device.journal, Console: device.takeConsole(), Signal: cfg.Signal,
			Listener: listener, AllowedHosts: c.Address.AllowedHost, UDP: udp, Version: p.Version, Logger: log,
			STUN: cfg.Network.STUN, PortMap: !cfg.Network.NoPortMap && !cfg.Open, TCP: !cfg.Network.NoTCP && !cfg.Open,
			External: cfg.Network.Addresses(), Interfaces: cfg.Network.Interfaces, DirectKey: key,
			Spool: spoolOf(cfg.Spool),
		},
		Certificate: certificate, NoMDNS: cfg.Network.NoMDNS,
		StateDir: cfg.StateDir, Pair: !cfg.Open && cfg.Allow == "",
	}
	return nil
}

// askFirst gets the password that the flags say to ask for.
func (c *Camera) askFirst(ctx context.Context, p *Process) error {
	var err error
	switch {
	case c.Login.Password && c.Login.PasswordStdin:
		return errors.New("--password and --password-stdin are two ways to give one password; use one")
	case c.Login.PasswordStdin:
		c.password, err = readPassword(p.Stdin)
	case c.Login.Password:
		user, ask := c.whom()
		if !ask {
			return errLoginOfDevice
		}
		c.Login.Username, c.password, err = p.askPassword(ctx, "the camera", user)
	}
	return err
}

// whom returns the user name to ask for the password of, as far as it is known; false
// where no address is of a camera that could want one.
func (c *Camera) whom() (user string, ask bool) {
	addresses := c.addresses()
	ask = len(addresses) == 0 // which is told later
	user = c.Login.Username
	for _, text := range append(slices.Clip(addresses), c.Sub...) {
		if text == "" {
			continue // a camera without a second stream
		}
		a, err := config.ParseAddress(text)
		ask = ask || err != nil || !a.IsDevice()
		if user == "" && err == nil {
			user = a.Username()
		}
	}
	return user, ask
}

// open makes the cameras. At a terminal it asks for the password of a camera
// that wants one.
func (c *Camera) open(ctx context.Context, p *Process, cfg *config.Config, device *device, log *slog.Logger) ([]*camera.Camera, error) {
	out := make([]*camera.Camera, 0, len(cfg.Cameras))
	for i := range cfg.Cameras {
		cc := &cfg.Cameras[i]
		if cc.Password.IsZero() && inNetwork(cc.URL) && p.interactive() {
			s, err := mainOf(cc).source(nil)
			if err != nil {
				return nil, fmt.Errorf("camera %s: %w", cc.ID, err)
			}
			if wantsPassword(ctx, s) {
				if cc.Username, cc.Password, err = p.askPassword(ctx, cc.Name, cc.Username); err != nil {
					return nil, err
				}
			}
		}
		var signer func(rendition int) camera.Signer
		if !cfg.NoSign {
			var err error
			if signer, err = Signers(device.id, cc.ID, p.Version, log); err != nil {
				return nil, err
			}
		}
		cam, err := newCamera(cc, signer, log)
		if err != nil {
			return nil, fmt.Errorf("camera %s: %w", cc.ID, err)
		}
		out = append(out, cam)
	}
	return out, nil
}

func newCamera(cc *config.Camera, signer func(rendition int) camera.Signer, log *slog.Logger) (*camera.Camera, error) {
	o := camera.Options{ID: cc.ID, Name: cc.Name, Signer: signer, Supervisor: camera.SupervisorOptions{Logger: log}}
	main, err := mainOf(cc).source(log.With("camera", cc.ID))
	if err != nil {
		return nil, err
	}
	o.Main = main
	if !cc.Sub.IsZero() {
		sub, err := subOf(cc).source(log.With("camera", cc.ID+"/sub"))
		if err != nil {
			return nil, fmt.Errorf("sub stream: %w", err)
		}
		o.Sub = sub
	}
	return camera.New(o)
}

// spoolOf turns settings into what the agent goes by.
func spoolOf(s config.Spool) agent.SpoolOptions {
	o := agent.SpoolOptions{MemoryBytes: int64(s.Memory), Dir: s.Dir, DiskBytes: int64(s.Disk)}
	if s.Off {
		o.MemoryBytes = -1
	}
	return o
}
