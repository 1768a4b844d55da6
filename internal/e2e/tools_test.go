package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
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

// programVariable says where the program is to the half of a test that runs in a
// namespace: it is not built again while other tests run it.
const programVariable = "SIGHTLINE_TEST_PROGRAM"

// binary returns the path of the program, built as releases are.
func binary(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

//nolint:gochecknoglobals // even to find out that nothing has changed takes the go command a second
var built = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(programVariable); path != "" {
		return path, nil
	}
	path, err := filepath.Abs("artifacts/bin/sightline")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	// Somebody may run the same tests at the same time.
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "./cmd/sightline")
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build sightline: %w\n%s", err, out)
	}
	return path, nil
})
