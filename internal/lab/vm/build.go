//go:build linux

package vm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Program is a program of this repository.
type Program struct {
	// Name is that of its file.
	Name string
	// Package is where it is: "./cmd/sightline".
	Package string
	// Cgo builds it with C, which Args must then link in.
	Cgo bool
	// Args are further arguments of `go build`.
	Args []string
}

// Build builds a program for a machine, where there are no libraries, and returns its
// path. The linker runs only if something has changed.
func Build(ctx context.Context, p Program) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "internal/e2e/artifacts/bin", "v4l2-"+p.Name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-trimpath", "-o", path}, p.Args...), p.Package)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if p.Cgo {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", p.Package, err, out)
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
