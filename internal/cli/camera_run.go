package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/camera/rtsp"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/identity"
)

// KeyFile is the name of the agent's key in the state folder.
const KeyFile = "agent.pem"

// Run publishes the cameras until ctx ends.
func (c *Camera) Run(ctx context.Context, p *Process, embed Embed) error {
	if err := c.askFirst(ctx, p); err != nil {
		return err
	}
	cfg, warnings, err := c.settings()
	if err != nil {
		return err
	}
	log := p.Logger(cfg.LogLevel, cfg.LogFormat)
	for _, w := range warnings {
		log.Warn("check the settings", "problem", w.String())
	}
	id, err := identity.LoadOrCreate(filepath.Join(cfg.StateDir, KeyFile))
	if err != nil {
		return err
	}
	cameras, err := c.open(ctx, p, cfg, log)
	if err != nil {
		return err
	}
	lc := net.ListenConfig{}
	listener, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s; choose another address with --listen: %w", cfg.Listen, err)
	}
	return Publish(ctx, p, Publication{
		Options: agent.Options{
			Identity: id, Cameras: cameras, Open: cfg.Open, AllowFile: cfg.Allow, Signal: cfg.Signal,
			Listener: listener, AllowedHosts: c.Address.AllowedHost, UDP: cfg.UDP, Version: p.Version, Logger: log,
		},
		Embed: embed,
	})
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
		user := c.Login.Username
		if user == "" && len(c.URL) > 0 {
			if u, err := config.ParseURL(c.URL[0]); err == nil {
				user = u.Username()
			}
		}
		c.Login.Username, c.password, err = p.askPassword(ctx, "the camera", user)
	}
	return err
}

// open makes the cameras. At a terminal it asks for the password of a camera
// that wants one.
func (c *Camera) open(ctx context.Context, p *Process, cfg *config.Config, log *slog.Logger) ([]*camera.Camera, error) {
	out := make([]*camera.Camera, 0, len(cfg.Cameras))
	for i := range cfg.Cameras {
		cc := &cfg.Cameras[i]
		if cc.Password.IsZero() && p.interactive() {
			s, err := source(cc, cc.URL, nil)
			if err != nil {
				return nil, fmt.Errorf("camera %s: %w", cc.ID, err)
			}
			if wantsPassword(ctx, s) {
				if cc.Username, cc.Password, err = p.askPassword(ctx, cc.Name, cc.Username); err != nil {
					return nil, err
				}
			}
		}
		cam, err := newCamera(cc, log)
		if err != nil {
			return nil, fmt.Errorf("camera %s: %w", cc.ID, err)
		}
		out = append(out, cam)
	}
	return out, nil
}

func newCamera(cc *config.Camera, log *slog.Logger) (*camera.Camera, error) {
	o := camera.Options{ID: cc.ID, Name: cc.Name, Supervisor: camera.SupervisorOptions{Logger: log}}
	main, err := source(cc, cc.URL, log.With("camera", cc.ID))
	if err != nil {
		return nil, err
	}
	o.Main = main
	if !cc.Sub.IsZero() {
		sub, err := source(cc, cc.Sub, log.With("camera", cc.ID+"/sub"))
		if err != nil {
			return nil, fmt.Errorf("sub stream: %w", err)
		}
		o.Sub = sub
	}
	return camera.New(o)
}

func source(cc *config.Camera, u config.URL, log *slog.Logger) (*rtsp.Source, error) {
	return rtsp.New(rtsp.Options{
		URL: u.Address(), Username: cc.Username, Password: cc.Password.Reveal(),
		Transport: rtsp.Transport(cc.Transport), Fingerprint: cc.TLS.Fingerprint, Insecure: cc.TLS.Insecure, Logger: log,
	})
}

// Publication is an agent to run, and what belongs around it.
type Publication struct {
	// Options are the agent's; Listener is required.
	Options agent.Options
	// Embed is used when Options.Signal is empty. May be nil.
	Embed Embed
	// Intro is printed before the link, if set.
	Intro string
}

// Publish runs an agent until ctx ends and prints how to watch as soon as
// somebody can. It closes the listener.
func Publish(ctx context.Context, p *Process, pub Publication) (err error) {
	o := pub.Options
	page := pageOf(o.Signal)
	address := dialable(o.Listener.Addr())
	if o.Signal == "" && pub.Embed != nil {
		handler, stop, err := pub.Embed(o.Logger, embeddedHosts(o.AllowedHosts, o.Listener.Addr()))
		if err != nil {
			return errors.Join(err, o.Listener.Close())
		}
		defer func() { _ = stop() }()
		o.Fallback, o.Signal, o.SignalPlaintext = handler, "ws://"+address, true
		page = "http://" + address
	}
	var announce sync.Once
	say := func() {
		if pub.Intro != "" {
			p.Say("%s", pub.Intro)
		}
		for _, line := range links(o, page, address) {
			p.Say("%s", line)
		}
		// Starting leaves a few megabytes of garbage that a quiet agent would
		// keep for minutes, on devices that have little.
		debug.FreeOSMemory()
	}
	o.OnSignal = func(online bool) {
		if online {
			announce.Do(say)
		}
	}
	a, err := agent.New(o)
	if err != nil {
		return errors.Join(err, o.Listener.Close())
	}
	if o.Signal == "" {
		announce.Do(say)
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { reloadOnHangup(ctx, a) })
	err = a.Run(ctx)
	cancel()
	wg.Wait()
	return err
}

func reloadOnHangup(ctx context.Context, a *agent.Agent) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-hangup:
			a.ReloadAccess()
		case <-ctx.Done():
			return
		}
	}
}

// links says how to watch.
func links(o agent.Options, page, address string) []string {
	if page != "" {
		return []string{page + "/#peer=" + string(o.Identity.PeerID())}
	}
	lines := []string{"This agent's id: " + o.Identity.PeerID().Grouped()}
	for _, c := range o.Cameras {
		lines = append(lines, "WHEP: http://"+address+"/whep/"+c.ID())
	}
	return lines
}

// pageOf returns where a signaling server's page is; empty without one.
func pageOf(signal string) string {
	u, err := url.Parse(signal)
	if err != nil || u.Host == "" {
		return ""
	}
	scheme := "https://"
	if u.Scheme == "ws" || u.Scheme == "http" {
		scheme = "http://"
	}
	return scheme + u.Host
}

// dialable returns a listener's address as this machine can dial it.
func dialable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// embeddedHosts adds to the names given those that work without any.
func embeddedHosts(given []string, a net.Addr) []string {
	if len(given) == 0 {
		return nil
	}
	out := append([]string{"localhost", "127.0.0.1", "::1"}, given...)
	if host, _, err := net.SplitHostPort(a.String()); err == nil && !strings.Contains("0.0.0.0 ::", host) {
		out = append(out, host)
	}
	return out
}
