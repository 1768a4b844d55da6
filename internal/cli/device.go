package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
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
	cameras *cameraIDs

	console net.Listener // nil without one, or once it was taken
	lock    io.Closer    // held as long as the folder is used
}

// openDevice opens the state folder. Two agents cannot use the same.
func openDevice(ctx context.Context, cfg *config.Config, log *slog.Logger) (*device, error) {
	d := &device{}
	if err := d.open(ctx, cfg, log); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *device) open(ctx context.Context, cfg *config.Config, log *slog.Logger) (err error) {
	// The key first: it makes the folder, and refuses one that is not private.
	if d.id, err = identity.LoadOrCreate(filepath.Join(cfg.StateDir, KeyFile)); err != nil {
		return err
	}
	if d.lock, err = lockFolder(cfg.StateDir); err != nil {
		return err
	}
	if d.console, err = openSocket(ctx, cfg.StateDir, log); err != nil {
		return err
	}
	logs := filepath.Join(cfg.StateDir, accessLogDir)
	if d.journal, err = accesslog.Open(logs, accesslog.Options{Logger: log}); err != nil {
		return fmt.Errorf("%w; if its files cannot be read any more, move %s away, and a new log begins", err, logs)
	}
	d.cameras = &cameraIDs{}
	for i := range cfg.Cameras {
		d.cameras.add(cfg.Cameras[i].ID)
	}
	d.list = agent.NewAllowList(cfg.Allow, log)
	d.trust, err = trust.Open(trust.Options{
		Dir: filepath.Join(cfg.StateDir, trustDir), Publisher: d.id, Cameras: d.cameras.all,
		Open: cfg.Open, Listed: d.list.Listed, Logger: log,
	})
	return err
}

// errInUse says that an agent holds a state folder.
func errInUse(stateDir string) error {
	return fmt.Errorf("another agent runs with the state folder %s; stop it, or choose another folder with --state-dir", stateDir)
}

// lockFolder keeps other agents out of a state folder, by a lock on the key that
// ends with the process: two of them would undo each other's revocations. Where
// the file system has no locks the console's socket is all there is.
func lockFolder(stateDir string) (io.Closer, error) {
	path := filepath.Join(stateDir, KeyFile)
	f, err := os.OpenFile(path, os.O_RDWR, 0) // NFS locks what is open for writing
	if err != nil {
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, fmt.Errorf("lock the state folder: %w", err)
	}
	if held(f) {
		return nil, errors.Join(errInUse(stateDir), f.Close())
	}
	return f, nil
}

// openSocket listens at the console's socket. A file system that has none (a FAT
// card) costs the console and not the camera.
func openSocket(ctx context.Context, stateDir string, log *slog.Logger) (net.Listener, error) {
	con, err := openConsole(stateDir)
	if err != nil {
		return nil, err
	}
	if con.running(ctx) {
		return nil, errInUse(stateDir)
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
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	_ = err
}

// HoldState keeps agents and recorders out of the state folder that file is in, until
// release is called.
func HoldState(ctx context.Context, file string) (release func(), err error) {
	dir := filepath.Dir(file)
	if _, err := identity.LoadOrCreate(filepath.Join(dir, KeyFile)); err != nil {
		return nil, err
	}
	if AgentRuns(ctx, dir) {
		return nil, errInUse(dir)
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Close() }, nil
}
