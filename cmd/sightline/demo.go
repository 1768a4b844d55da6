package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/camera/testsrc"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/nvr"
	"github.com/sightline-cam/sightline/internal/trust"
)

// demoListen is tried first, so that the link is the same each time.
const demoListen = "127.0.0.1:8787"

// demoCommand is everything in one process: signaling, the page, and an agent
// with a test picture. Only this machine can reach it.
type demoCommand struct {
	Listen   string `help:"TCP address, on loopback. Default 127.0.0.1:8787, or a free port if that is taken." placeholder:"127.0.0.1:PORT"`
	StateDir string `help:"Folder of the agent's key and the recordings. Default: a temporary one, removed at the end." placeholder:"DIR"`
	LogLevel string `help:"Least severe message logged: debug, info, warn or error." default:"error"`
}

// Run implements the command.
func (c *demoCommand) Run(ctx context.Context, p *cli.Process) (err error) {
	var level config.LogLevel
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("--log-level: %w", err)
	}
	log := p.Logger(level, config.LogText)
	dir := c.StateDir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "sightline-demo-"); err != nil {
			return fmt.Errorf("make a folder for the demo's key: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	release, err := cli.HoldState(ctx, filepath.Join(dir, cli.KeyFile))
	if err != nil {
		return err
	}
	defer release()
	id, err := identity.LoadOrCreate(filepath.Join(dir, cli.KeyFile))
	if err != nil {
		return err
	}
	signer, err := cli.Signers(id, "test", p.Version, log)
	if err != nil {
		return err
	}
	cam, err := testCamera(camera.SupervisorOptions{Logger: log}, signer)
	if err != nil {
		return err
	}
	listener, err := c.listen(ctx)
	if err != nil {
		return err
	}
	known, err := trust.Open(trust.Options{
		Publisher: id, Cameras: func() []string { return []string{cam.ID()} }, Open: true,
		Listed: func(identity.PeerID) (string, bool) { return "", false }, Logger: log,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return recordAndPublish(ctx, p, cli.Publication{
		Options: agent.Options{
			Identity: id, Cameras: []*camera.Camera{cam}, Open: true, Trust: known, Listener: listener,
			Version: p.Version, Logger: log,
		},
		Embed: embed,
		Intro: "A test picture is live, and recorded. Open this link in a browser on this machine:",
	}, nvr.Options{
		StateDir:  dir,
		Recording: config.Recording{Dirs: []string{filepath.Join(dir, "recordings")}},
		Cameras:   []nvr.Camera{{Camera: cam, Signed: true, Settings: config.CameraRecording{Keep: config.Duration(demoKeep), MaxBytes: demoBytes}}},
	})
}

// What the demo keeps at most.
const (
	demoKeep  = 24 * time.Hour
	demoBytes = 1 << 30
)

// listen opens the address asked for, or else the usual one or a free port.
func (c *demoCommand) listen(ctx context.Context) (net.Listener, error) {
	lc := net.ListenConfig{}
	if c.Listen != "" {
		l, err := lc.Listen(ctx, "tcp", c.Listen)
		if err != nil {
			return nil, fmt.Errorf("listen on %s; choose another address with --listen: %w", c.Listen, err)
		}
		return l, nil
	}
	l, err := lc.Listen(ctx, "tcp", demoListen)
	if errors.Is(err, syscall.EADDRINUSE) {
		l, err = lc.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	return l, nil
}

// testCamera is a camera that needs no hardware.
func testCamera(o camera.SupervisorOptions, signer func(rendition int) camera.Signer) (*camera.Camera, error) {
	main, err := testsrc.New(testsrc.Options{Picture: testpattern.Options{Width: 1280, Height: 720}, Audio: true, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	sub, err := testsrc.New(testsrc.Options{Picture: testpattern.Options{Width: 640, Height: 360}, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	return camera.New(camera.Options{
		ID: "test", Name: "Test picture", Main: main, Sub: sub, TestPattern: true, Signer: signer, Supervisor: o,
	})
}
