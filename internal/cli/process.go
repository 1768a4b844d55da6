package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/sightline-cam/sightline/internal/config"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// Process is what a command has of its surroundings.
type Process struct {
	// Name is the program's name and Version its version.
	Name, Version string
	// Stdin is where a password may be read from.
	Stdin *os.File
	// Stdout takes results, Stderr everything else.
	Stdout, Stderr io.Writer
	// Secrets are texts of the command line that must not be repeated.
	Secrets []string
}

// Main parses the command line into grammar, a pointer to a kong structure, and
// runs the command, whose Run method gets a context that ends with SIGINT or
// SIGTERM and the *Process. It returns the exit code.
func Main(name, version, description string, grammar any, extra ...kong.Option) int {
	args, err := protectArgs(os.Args)
	p := &Process{
		Name: name, Version: version, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Secrets: secretsIn(args),
	}
	if err != nil {
		p.complain("warning: a password on the command line stays visible in the list of processes: %v", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	options := append([]kong.Option{
		kong.Name(name), kong.Description(description), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.DefaultEnvars("SIGHTLINE"), kong.Writers(p.Stdout, p.Stderr),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(p),
	}, extra...)
	parser, err := kong.New(grammar, options...)
	if err != nil {
		p.complain("%v", err)
		return exitFailed
	}
	if len(args) < 2 {
		args = append(args, "--help")
	}
	if err := refuseInlinePassword(args); err != nil {
		p.complain("%v", err)
		return exitUsage
	}
	command, err := parser.Parse(args[1:])
	if err != nil {
		p.complain("%v", err)
		p.complain("run %s --help for what there is", name)
		return exitUsage
	}
	if err := command.Run(); err != nil && !errors.Is(err, context.Canceled) {
		p.report(err)
		return exitFailed
	}
	return 0
}

// report prints an error; mistakes in settings one a line.
func (p *Process) report(err error) {
	problems, ok := errors.AsType[config.Problems](err)
	if !ok {
		p.complain("%v", err)
		return
	}
	for _, problem := range problems {
		p.complain("%v", problem)
	}
}

// complain prints one line for the person at the terminal.
func (p *Process) complain(format string, args ...any) {
	fmt.Fprintf(p.Stderr, "%s: %s\n", p.Name, redact(fmt.Sprintf(format, args...), p.Secrets))
}

// Say prints a result.
func (p *Process) Say(format string, args ...any) {
	fmt.Fprintf(p.Stdout, format+"\n", args...)
}

// Logger returns the log of a command. The format is text unless it is JSON.
func (p *Process) Logger(level config.LogLevel, format config.LogFormat) *slog.Logger {
	o := &slog.HandlerOptions{Level: level.Level()}
	if format == config.LogJSON {
		return slog.New(slog.NewJSONHandler(p.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(p.Stderr, o))
}
