// Command sightline-camera is the camera-side agent alone, for devices with
// little flash. It registers at a signaling server (--signal), or serves WHEP
// on its own listener; the program sightline has everything else.
package main

import (
	"context"
	"os"

	"github.com/alecthomas/kong"

	"github.com/sightline-cam/sightline/internal/cli"
)

// version is set by the linker.
var version = "dev" //nolint:gochecknoglobals // the linker sets it

// grammar is the command line.
type grammar struct {
	Version kong.VersionFlag `help:"Print the version."`
	Publish publish          `cmd:"" default:"withargs" help:"Publish cameras (the default)."`
	ID      cli.ID           `cmd:"" help:"Print this device's id."`
	Config  cli.Config       `cmd:"" help:"Work with configuration files."`
}

// publish is the camera command without a signaling server of its own.
type publish struct{ cli.Camera }

// Run implements the command.
func (c *publish) Run(ctx context.Context, p *cli.Process) error { return c.Camera.Run(ctx, p, nil) }

func main() {
	os.Exit(cli.Main("sightline-camera", version, "Publishes surveillance cameras, peer to peer.", &grammar{},
		kong.Vars{"version": version}))
}
