package attacks

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// builds says where the programs are, built as they are and weakened.
type builds struct{ dir string }

// path returns a program's path.
func (b *builds) path(program string, weakened bool) string {
	kind := "as-it-is"
	if weakened {
		kind = "weakened"
	}
	return filepath.Join(b.dir, kind, program)
}

// build builds every program twice, into a folder that is kept, so that the
// linker runs only if something has changed.
func build(t *testing.T) *builds {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	b := &builds{dir: filepath.Join(root, "bin", "attacks")}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// Somebody may run the same tests at the same time.
	lock, err := os.OpenFile(filepath.Join(b.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	for program, pkg := range map[string]string{"sightline": "./cmd/sightline", "attackpeer": "./internal/attacks/attackpeer"} {
		for _, weakened := range []bool{false, true} {
			args := []string{"build", "-trimpath", "-o", b.path(program, weakened)}
			if weakened {
				args = append(args, "-tags", "weakened")
			}
			cmd := exec.CommandContext(t.Context(), "go", append(args, pkg)...)
			cmd.Dir = root
			cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("build %s: %v\n%s", program, err, out)
			}
		}
	}
	return b
}
