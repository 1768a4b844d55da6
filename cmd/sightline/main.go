// Command sightline streams surveillance cameras straight to the people who
// own them. Every role is a sub-command.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // the days of a recording are those of the viewer's zone, also on a machine that knows none

	"github.com/alecthomas/kong"

	"github.com/sightline-cam/sightline/internal/cli"
)

// version is set by the linker.
var version = "dev"

// grammar is the command line.
type grammar struct {
	Demo       demoCommand       `cmd:"" help:"Show live video of a test picture; needs nothing."`
	Camera     cameraCommand     `cmd:"" help:"Publish one or more cameras."`
	NVR        nvrCommand        `cmd:"" name:"nvr" help:"Record cameras, and publish them with what was recorded."`
	Recordings recordingsCommand `cmd:"" help:"List, export, check and rebuild what a recorder has kept."`
	Verify     verifyCommand     `cmd:"" help:"Say whether a video is what a camera signed; exit 1 if not."`
	Signal     signalCommand     `cmd:"" help:"Run the signaling server, which introduces peers to each other."`
	View       viewCommand       `cmd:"" help:"Watch a camera and write its video to a file or stdout."`
	Pair       cli.Pair          `cmd:"" help:"Print the link that makes its opener the owner of the camera on this device."`
	Grant      cli.Grant         `cmd:"" help:"Invite somebody to the camera on this device."`
	Access     cli.Access        `cmd:"" help:"Show and take back access to the camera on this device."`
	Token      cli.Token         `cmd:"" help:"Let a WHEP player watch for some minutes."`
	Doctor     doctorCommand     `cmd:"" help:"Say what works and what does not: network, relay, cameras, sessions."`
	Backup     backupCommand     `cmd:"" help:"Write this device's keys, owners and log into an encrypted file."`
	Restore    restoreCommand    `cmd:"" help:"Put a backup back."`
	ID         cli.ID            `cmd:"" help:"Print this device's id."`
	Config     cli.Config        `cmd:"" help:"Work with configuration files."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
}

// cameraCommand publishes cameras, with a signaling server of its own unless
// --signal names one.
type cameraCommand struct{ cli.Camera }

// Run implements the command.
func (c *cameraCommand) Run(ctx context.Context, p *cli.Process) error {
	return c.Camera.Run(ctx, p, embed)
}

// versionCommand prints the version.
type versionCommand struct{}

// Run implements the command.
func (versionCommand) Run(p *cli.Process) error {
	p.Say("sightline %s", p.Version)
	return nil
}

func main() {
	ctx, p, args, stop := cli.Start("sightline", version)
	defer stop()
	os.Exit(run(ctx, p, args[1:]))
}

// run runs the command that the arguments name and returns the exit code.
func run(ctx context.Context, p *cli.Process, args []string) int {
	parser, err := kong.New(&grammar{},
		kong.Name(p.Name), kong.Description("Streams surveillance cameras straight to the people who own them."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.DefaultEnvars("SIGHTLINE"), kong.Writers(p.Stdout, p.Stderr),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(p))
	if err != nil {
		return p.Finish(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if err := cli.RefuseInlinePassword(args); err != nil {
		return p.Misused(err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return p.Misused(err)
	}
	return p.Finish(command.Run())
}
