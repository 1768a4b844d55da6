//go:build linux

package v4l2

import (
	"fmt"
	"testing"
)

// TestV4L2 goes through everything that a camera of this machine does, on one machine
// that is booted for it.
func TestV4L2(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *world) string
	}{
		{"native H.264, passed on", nativeH264},
	} {
		t.Run(c.name, func(t *testing.T) {
			if found := c.run(t, w); !t.Failed() {
				report(t, c.name, "%s", found)
			}
		})
	}
}

// report prints a line for a person.
func report(t *testing.T, name, format string, args ...any) {
	fmt.Fprintf(t.Output(), "ok  %-40s %s\n", name, fmt.Sprintf(format, args...))
}
