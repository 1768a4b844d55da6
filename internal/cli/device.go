package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"

	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/trust"
)

// What is in the state folder beside the console's socket and the listener's
// certificate.
const (
	// KeyFile is the name of the agent's key.
	KeyFile = "agent.pem"
	// trustDir is the name of the folder with owners, grants and invites.
	trustDir = "trust"
	// accessLogDir is the name of the folder with the access log.
	accessLogDir = "access-log"
)

// device is what an agent keeps in its state folder.
type device struct {
	// Constant after construction.
	id      *identity.Identity
	list    *agent.AllowList
	trust   *trust.Trust
	journal *accesslog.Log

	console net.Listener // nil without one, or once it was taken
}

// openDevice opens the state folder. Two agents cannot use the same.
func openDevice(ctx context.Context, cfg *config.Config, log *slog.Logger) (d *device, err error) {
	d = &device{}
	// The key first: it makes the folder, and refuses one that is not private.
	if d.id, err = identity.LoadOrCreate(filepath.Join(cfg.StateDir, KeyFile)); err != nil {
		return nil, err
	}
	if d.console, err = openSocket(ctx, cfg.StateDir, log); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.journal, err = accesslog.Open(filepath.Join(cfg.StateDir, accessLogDir), accesslog.Options{Logger: log}); err != nil {
		return nil, fmt.Errorf("open the access log: %w", err)
	}
	ids := make([]string, len(cfg.Cameras))
	for i := range cfg.Cameras {
		ids[i] = cfg.Cameras[i].ID
	}
	d.list = agent.NewAllowList(cfg.Allow, log)
	d.trust, err = trust.Open(trust.Options{
		Dir: filepath.Join(cfg.StateDir, trustDir), Publisher: d.id, Cameras: func() []string { return ids },
		Open: cfg.Open, Listed: d.list.Listed, Logger: log,
	})
	return d, err
}

// openSocket listens at the console's socket. A file system that has none (a FAT
// card) costs the console and not the camera.
func openSocket(ctx context.Context, stateDir string, log *slog.Logger) (net.Listener, error) {
	con, err := openConsole(stateDir)
	if err != nil {
		return nil, err
	}
	if con.running(ctx) {
		return nil, fmt.Errorf("another agent runs with the state folder %s; stop it, or choose another folder with --state-dir", stateDir)
	}
	l, err := agent.ListenConsole(con.path) //nolint:contextcheck // it waits for nothing
	if err != nil {
		log.Warn("pairing and the other commands cannot reach this agent", "error", err)
		return nil, nil
	}
	return l, nil
}

// takeConsole returns the console's listener, which whoever takes it closes.
func (d *device) takeConsole() net.Listener {
	l := d.console
	d.console = nil
	return l
}

// close ends what nobody took. What could not be written is in the agent's log.
func (d *device) close() {
	var err error
	if d.console != nil {
		err = d.console.Close()
	}
	if d.journal != nil {
		err = errors.Join(err, d.journal.Close())
	}
	_ = err
}
