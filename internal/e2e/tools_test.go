package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// need skips the test for want of a tool; in CI it fails instead.
func need(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// lookup returns the path of the first program found.
func lookup(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	need(t, names[0]+" is not installed")
	return ""
}

// repository returns the root of the repository.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// artifact returns the path of a file that is kept for people to look at.
func artifact(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs("artifacts")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// binary builds a command of the repository as releases are built, and
// returns its path. The linker runs only if something has changed.
func binary(t *testing.T, name string) string {
	t.Helper()
	path := artifact(t, filepath.Join("bin", name))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, "./cmd/"+name)
	cmd.Dir = repository(t)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}
