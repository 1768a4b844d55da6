package matrix

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// printing reports whether a line is printed for each result: make nat.
func printing() bool { return os.Getenv("SIGHTLINE_MATRIX") == "print" }

// report says what a scenario came to.
func report(t *testing.T, format string, args ...any) {
	t.Helper()
	t.Logf(format, args...)
	if printing() {
		fmt.Fprintf(os.Stdout, "  "+format+"\n", args...)
	}
}

// TestMatrix lets a camera and a viewer meet in every pair of networks.
func TestMatrix(t *testing.T) {
	start := time.Now()
	all := cells()
	if !printing() { // half of them, without those that differ in what cannot show
		all = slices.DeleteFunc(all, func(c cell) bool { return c.where == apart && c.noHairpin })
	}
	lines := make([]string, len(all))
	wrong := make([]bool, len(all))
	t.Run("cells", func(t *testing.T) {
		for i, c := range all {
			t.Run(c.name(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					got, want := c.run(t), c.expected()
					mark := " "
					if got.path != want {
						mark, wrong[i] = "!", true
						t.Errorf("%s by %s, want %s", got.path, got.pair, want)
					}
					lines[i] = fmt.Sprintf("%s %s %-8s %-8s %4d ms  %s", mark, c, got.path, want, got.took.Milliseconds(), got.pair)
				})
			})
		}
	})
	if !printing() {
		return
	}
	n := 0
	fmt.Fprintf(os.Stdout, "  %-18s %-18s %-8s %-7s %-7s %-7s %-8s %-8s\n", "camera", "viewer", "where", "routers", "mapped", "relay", "actual", "expected")
	for i, l := range lines {
		fmt.Fprintln(os.Stdout, l)
		if wrong[i] {
			n++
		}
	}
	fmt.Fprintf(os.Stdout, "%d cells, %d not as expected, %.1f s\n", len(all), n, time.Since(start).Seconds())
}
