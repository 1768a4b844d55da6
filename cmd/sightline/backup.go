package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sightline-cam/sightline/internal/atomicfile"
	"github.com/sightline-cam/sightline/internal/backup"
	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/nvr"
	"github.com/sightline-cam/sightline/recordings/disk"
)

// backupCommand writes the state folder into an encrypted file.
type backupCommand struct {
	Output     string         `short:"o" required:"" help:"File for the backup; - is stdout." placeholder:"FILE" env:"-"`
	StateDir   string         `help:"Folder to back up. Default ~/.local/state/sightline." placeholder:"DIR"`
	Passphrase cli.Passphrase `embed:""`
}

// Run implements the command.
func (c *backupCommand) Run(ctx context.Context, p *cli.Process) error {
	folder, err := stateFolder(c.StateDir)
	if err != nil {
		return err
	}
	if err := c.check(p, folder.Path); err != nil {
		return err
	}
	secret, err := c.Passphrase.Read(ctx, p, true)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return folder.Backup(w, secret.Reveal()) }
	if c.Output == "-" {
		return write(p.Stdout)
	}
	if err := atomicfile.WriteFrom(c.Output, write); err != nil {
		return err
	}
	p.Say("The backup is in %s. Whoever has it and the passphrase is this device: keep the two apart, and away from this device.", c.Output)
	return nil
}

// check refuses places where a backup must not go.
func (c *backupCommand) check(p *cli.Process, dir string) error {
	if c.Output == "-" {
		if p.ToTerminal() {
			return errors.New("a backup is not for reading; name a file with -o, or send stdout to one")
		}
		return nil
	}
	output, err := filepath.Abs(c.Output)
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if rel, err := filepath.Rel(dir, output); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("%s is inside the folder to back up, and would be lost with it; choose another place", c.Output)
	}
	return nil
}

// restoreCommand puts a backup back.
type restoreCommand struct {
	File       string         `arg:"" help:"The backup; - is stdin."`
	StateDir   string         `help:"Folder to restore. Default ~/.local/state/sightline." placeholder:"DIR"`
	Force      bool           `help:"Move a folder with a key in it aside." env:"-"`
	Passphrase cli.Passphrase `embed:""`
}

// Run implements the command.
func (c *restoreCommand) Run(ctx context.Context, p *cli.Process) error {
	folder, err := stateFolder(c.StateDir)
	if err != nil {
		return err
	}
	if cli.AgentRuns(ctx, folder.Path) {
		return fmt.Errorf("an agent runs with the state folder %s; stop it first", folder.Path)
	}
	in := p.Stdin
	if c.File != "-" {
		if in, err = os.Open(c.File); err != nil {
			return fmt.Errorf("read the backup: %w", err)
		}
		defer in.Close() //nolint:errcheck // only read
	} else if c.Passphrase.PassphraseStdin {
		return errors.New("stdin cannot be the backup and the passphrase; give one of them as a file")
	}
	secret, err := c.Passphrase.Read(ctx, p, false)
	if err != nil {
		return err
	}
	done, err := folder.Restore(in, secret.Reveal(), c.Force)
	if err != nil {
		return err
	}
	if done.MovedTo != "" {
		p.Say("What was there before is in %s", done.MovedTo)
	}
	for i, what := range []string{"this device publishes", "this device watches"} {
		if id := done.IDs[i]; id != "" {
			p.Say("Restored the key that %s with: %s", what, id)
		}
	}
	return nil
}

// stateFolder returns the state folder; "" is the default one.
func stateFolder(dir string) (backup.Folder, error) {
	dir, err := cli.StateFolder(dir)
	return backup.Folder{Path: dir, Keys: []string{cli.KeyFile, cli.ViewerKeyFile}, Leave: isRecording}, err
}

// isRecording tells the index of recordings, which can be made anew, and folders of
// recordings, which are no state.
func isRecording(path string, d fs.DirEntry) bool {
	if !d.IsDir() {
		return strings.HasPrefix(d.Name(), nvr.IndexFile)
	}
	_, err := os.Stat(filepath.Join(path, disk.MarkerFile))
	return err == nil
}
