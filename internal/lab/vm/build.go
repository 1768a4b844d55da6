//go:build linux

package vm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// buildGuest builds the machine's first process and returns its path.
func buildGuest(ctx context.Context) (string, error) {
	return Build(ctx, "guest", "./internal/lab/vm/guest")
}

// Build builds a program of this repository so that it needs no libraries, and
// returns its path. more are further arguments of `go build`. The linker runs only
// if something has changed.
func Build(ctx context.Context, name, what string, more ...string) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "internal/e2e/artifacts/bin", "v4l2-"+name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-trimpath", "-o", path}, more...), what)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", what, err, out)
	}
	return path, nil
}

// repository returns the folder of go.mod. Tests run in the folder of their package.
func repository() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if exists(filepath.Join(dir, "go.mod")) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no go.mod above the test's folder: %w", err)
}
