package cli

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/config"
)

// stateDir returns a folder for a device; long asks for one whose path is too
// long for a socket.
func stateDir(t *testing.T, long bool) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sl-") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if long {
		dir = filepath.Join(dir, strings.Repeat("x", 120))
	}
	return dir
}

func TestOpenDevice_TwoAgentsNeverShareAFolder(t *testing.T) {
	for name, long := range map[string]bool{"with a socket": false, "without one": true} {
		t.Run(name, func(t *testing.T) {
			cfg, log := &config.Config{StateDir: stateDir(t, long)}, slog.New(slog.DiscardHandler)
			first, err := openDevice(t.Context(), cfg, log)
			if err != nil {
				t.Fatal(err)
			}
			if !AgentRuns(t.Context(), cfg.StateDir) {
				t.Error("the folder seems to be free, and would be replaced by a restore")
			}
			if second, err := openDevice(t.Context(), cfg, log); err == nil || !strings.Contains(err.Error(), "another agent") {
				second.close()
				t.Errorf("a second agent got %v", err)
			}
			first.close()
			if AgentRuns(t.Context(), cfg.StateDir) {
				t.Error("the folder is held after the end")
			}
			again, err := openDevice(t.Context(), cfg, log)
			if err != nil {
				t.Fatal(err)
			}
			again.close()
		})
	}
}

func TestOpenDevice_SaysWhatIsInTheWay(t *testing.T) {
	for _, name := range []string{accessLogDir, trustDir} {
		cfg := &config.Config{StateDir: stateDir(t, false)}
		if err := os.WriteFile(filepath.Join(cfg.StateDir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := openDevice(t.Context(), cfg, slog.New(slog.DiscardHandler))
		if pathErr := (*os.PathError)(nil); d != nil || !errors.As(err, &pathErr) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if AgentRuns(t.Context(), cfg.StateDir) {
			t.Errorf("%s: the folder is still held", name)
		}
	}
}
