package natkernel

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// build builds the program as releases are built, once, and returns its path.
//
//nolint:gochecknoglobals // the linker runs once for all tests
var build = sync.OnceValues(func() (string, error) {
	path, err := filepath.Abs("../artifacts/bin/sightline-nat")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "nomsgpack,nethttpomithttp2", "-o", path, "./cmd/sightline")
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build sightline: %w\n%s", err, out)
	}
	return path, nil
})
