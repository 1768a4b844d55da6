//go:build linux

package netns

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// commandTimeout is how long one command may take on a busy machine. They need
// milliseconds.
const commandTimeout = time.Minute

// run runs a program to its end, with input.
func run(input string, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s%s", name, strings.Join(args, " "), err, out, input)
	}
	return nil
}

// ip runs commands of iproute2, one a line, in the namespace.
func (n *Namespace) ip(commands ...string) error {
	return run(strings.Join(commands, "\n")+"\n", "ip", "-n", n.Name, "-batch", "-")
}

// nft loads rules into the namespace.
func (n *Namespace) nft(rules string) error {
	return run(rules, "ip", "netns", "exec", n.Name, "nft", "-f", "-")
}

// Need skips the test unless it runs as root and the programs are installed.
// Where CI is set to true it fails instead.
func Need(tb testing.TB, programs ...string) {
	tb.Helper()
	missing := ""
	if os.Geteuid() != 0 {
		missing = "network namespaces need root"
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = p + " is not installed"
		}
	}
	switch {
	case missing == "":
	case os.Getenv("CI") == "true":
		tb.Fatalf("%s, and CI=true does not allow to skip", missing)
	default:
		tb.Skip(missing)
	}
}
