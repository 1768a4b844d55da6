package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/recordings/disk"
)

// recordingsCheck proves the invariants of what is kept.
type recordingsCheck struct {
	place `embed:""`
	Quick bool `help:"Read no pictures: fast, and a bit that fell over in one is not found."`
	JSON  bool `name:"json" help:"As JSON, a line for each finding." env:"-"`
}

// Run implements the command.
func (c *recordingsCheck) Run(ctx context.Context, p *cli.Process) error {
	_, ix, dirs, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ix.Close() //nolint:errcheck // only read
	bar := newProgress(p.Stderr, "check", 0, false)
	files, found := 0, 0
	enc := json.NewEncoder(p.Stdout)
	path, err := c.index()
	if err != nil {
		return err
	}
	running := cli.AgentRuns(ctx, filepath.Dir(path))
	o := disk.CheckOptions{Dirs: dirs, Index: ix, Quick: c.Quick, Running: running, Unfinished: func() {
		p.Say("The recorder did not stop in good order; it mends what a crash left when it starts.")
	}, Progress: func(done, total int) {
		files = total
		bar.set(int64(done), int64(total))
	}}
	err = disk.Check(ctx, o, func(f disk.Finding) {
		found++
		if c.JSON {
			_ = enc.Encode(f) // stdout is gone: the exit code says enough
			return
		}
		if f.File != "" {
			p.Say("%s %s: %s", f.Invariant, f.File, f.Text)
		} else {
			p.Say("%s %s", f.Invariant, f.Text)
		}
	})
	bar.close()
	switch {
	case err != nil:
		return err
	case found > 0:
		return fmt.Errorf("%d findings in %d recordings; docs/design/storage.md says what the numbers mean", found, files)
	case !c.JSON:
		p.Say("%d recordings, all well.", files)
	}
	return nil
}

// recordingsRebuild makes the index anew.
type recordingsRebuild struct {
	place `embed:""`
}

// Run implements the command.
func (c *recordingsRebuild) Run(ctx context.Context, p *cli.Process) error {
	path, err := c.index()
	if err != nil {
		return err
	}
	dirs, err := c.known(ctx)
	if err != nil {
		return err
	}
	release, err := cli.HoldState(ctx, path)
	if err != nil {
		return err
	}
	defer release()
	bar := newProgress(p.Stderr, "rebuild", 0, false)
	r, err := disk.Rebuild(ctx, disk.RebuildOptions{
		Dirs: dirs, IndexPath: path, Logger: slog.New(slog.NewTextHandler(p.Stderr, nil)),
		Progress: func(done, total int) { bar.set(int64(done), int64(total)) },
	})
	bar.close()
	if err != nil {
		return err
	}
	p.Say("The index has %d recordings, %s.", r.Segments, gigabytes(r.Bytes))
	for _, name := range r.Unreadable {
		p.Say("%s is no recording any more; it was left there.", name)
	}
	if len(r.Unreadable) > 0 {
		return fmt.Errorf("%d files cannot be read", len(r.Unreadable))
	}
	return nil
}

// known returns the folders to read: those named, or those of the old index, if it
// can still be read.
func (c *recordingsRebuild) known(ctx context.Context) ([]string, error) {
	if len(c.Dir) > 0 {
		return c.Dir, nil
	}
	_, ix, dirs, err := c.open(ctx)
	if err != nil {
		return nil, errors.Join(errors.New("name the folders with recordings with --dir"), err)
	}
	return dirs, ix.Close()
}
