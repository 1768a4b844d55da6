// Command sightline-camera is the camera-side agent alone, for devices with
// little flash. It registers at a signaling server (--signal), or serves WHEP
// on its own listener; the program sightline has everything else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/sightline-cam/sightline/internal/cli"
)

// version is set by the linker.
var version = "dev"

const usage = `Usage: sightline-camera [flags] rtsp://…|/dev/video0
       sightline-camera --list [--json]
       sightline-camera pair [--reset] [--state-dir=DIR]
       sightline-camera grant --name=NAME [--right=RIGHT] [--camera=ID] [--for=30d] [--pass] [--state-dir=DIR]
       sightline-camera access list [--json] | revoke WHO | log [--json] [--verify] [--state-dir=DIR]
       sightline-camera token CAMERA [--state-dir=DIR]
       sightline-camera id [--viewer] [--grouped] [--certificate] [--state-dir=DIR]
       sightline-camera config check FILE
       sightline-camera version

Publishes surveillance cameras, peer to peer.

Flags, each of them also an environment variable (SIGHTLINE_LISTEN, …):
`

func main() {
	ctx, p, args, stop := cli.Start("sightline-camera", version)
	defer stop()
	os.Exit(run(ctx, p, args[1:]))
}

// run runs the command that the arguments name and returns the exit code.
func run(ctx context.Context, p *cli.Process, args []string) int {
	word := ""
	if len(args) > 0 {
		word = args[0]
	}
	switch word {
	case "version", "--version":
		p.Say("sightline-camera %s", p.Version)
		return 0
	case "pair":
		var c cli.Pair
		return parse(p, &c, args[1:], func() error { return c.Run(ctx, p) })
	case "grant":
		var c cli.Grant
		return parse(p, &c, args[1:], func() error { return c.Run(ctx, p) })
	case "access":
		return access(ctx, p, args[1:])
	case "token":
		var c cli.Token
		return parse(p, &c, args[1:], func() error { return c.Run(ctx, p) })
	case "id":
		var c cli.ID
		return parse(p, &c, args[1:], func() error { return c.Run(p) })
	case "config":
		var c struct {
			Words []string `arg:""`
		}
		return parse(p, &c, args[1:], func() error {
			if len(c.Words) != 2 || c.Words[0] != "check" {
				return errors.New("there is one such command: config check FILE")
			}
			return (&cli.ConfigCheck{File: c.Words[1]}).Run(p)
		})
	case "camera": // as in the program sightline
		args = args[1:]
	}
	var c cli.Camera
	return parse(p, &c, args, func() error { return c.Run(ctx, p, nil) })
}

// access runs one of the access commands.
func access(ctx context.Context, p *cli.Process, args []string) int {
	word := ""
	if len(args) > 0 {
		word, args = args[0], args[1:]
	}
	switch word {
	case "list":
		var c cli.AccessList
		return parse(p, &c, args, func() error { return c.Run(ctx, p) })
	case "revoke":
		var c cli.AccessRevoke
		return parse(p, &c, args, func() error { return c.Run(ctx, p) })
	case "log":
		var c cli.AccessLog
		return parse(p, &c, args, func() error { return c.Run(ctx, p) })
	}
	return p.Misused(errors.New("there are three such commands: access list, access revoke and access log"))
}

// parse reads the arguments into grammar and runs the command.
func parse(p *cli.Process, grammar any, args []string, command func() error) int {
	f, err := cli.NewFlags(p.Name, grammar)
	if err == nil {
		err = f.Parse(args)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(p.Stdout, usage)
		f.Help(p.Stdout)
		return 0
	case err != nil:
		return p.Misused(err)
	}
	return p.Finish(command())
}
