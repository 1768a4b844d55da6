package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

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

	secrets []string // of the command line; not to be repeated
}

// Start returns the process, the command line's arguments with the program's
// name, and a context that ends with SIGINT or SIGTERM. Where the command line
// holds a password it may replace the process by a new one, under the same id,
// that does not show it. The caller calls stop at the end.
func Start(name, version string) (ctx context.Context, p *Process, args []string, stop func()) {
	args, err := protectArgs(os.Args)
	p = &Process{
		Name: name, Version: version, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		secrets: secretsIn(args),
	}
	if err != nil {
		p.complain("warning: a password on the command line stays visible in the list of processes: %v", err)
	}
	ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go p.endInTime(ctx, os.Exit) // it ends with the process
	return ctx, p, args, stop
}

// lastSecond is how long a command may take to end once it was told to: less than
// systemd waits, whose SIGKILL says nothing of why.
const lastSecond = time.Minute

// maxStacks is how much is written of where a command hangs, in bytes.
const maxStacks = 1 << 20

// endInTime ends a command that does not end by itself after ctx has, by exit, and
// says where it hangs. What it writes survives that as it does a power cut.
func (p *Process) endInTime(ctx context.Context, exit func(code int)) {
	<-ctx.Done()
	timer := time.NewTimer(lastSecond)
	defer timer.Stop()
	<-timer.C
	p.complain("still not ended after %v; please report what follows", lastSecond)
	stacks := make([]byte, maxStacks) // package pprof would make the lean agent 0.2 MB larger
	stacks = stacks[:runtime.Stack(stacks, true)]
	_, _ = p.Stderr.Write(argumentsIn().ReplaceAll(stacks, []byte("(…)")))
	exit(exitFailed)
}

// argumentsIn matches the arguments of calls in a stack, up to the end of the line:
// parts of keys and secrets may be among them.
func argumentsIn() *regexp.Regexp { return regexp.MustCompile(`(?m)\((?:0x|\{|_|\.\.\.).*\)$`) }

// Misused prints what is wrong with the command line and returns the exit code.
func (p *Process) Misused(err error) int {
	p.complain("%v", err)
	p.complain("run %s --help for what there is", p.Name)
	return exitUsage
}

// Finish prints a command's error, if any, and returns the exit code.
func (p *Process) Finish(err error) int {
	if err == nil || errors.Is(err, context.Canceled) {
		return 0
	}
	p.report(err)
	return exitFailed
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

// complain prints one message for the person at the terminal. What a server or
// an agent gave as its reason may be in it.
func (p *Process) complain(format string, args ...any) {
	text := redact(fmt.Sprintf(format, args...), p.secrets)
	lines := strings.Split(text, "\n") // of joined errors
	for i, line := range lines {
		lines[i] = printable(line)
	}
	fmt.Fprintf(p.Stderr, "%s: %s\n", p.Name, strings.Join(lines, "\n"))
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
