//go:build weakened

package check

import (
	"os"
	"slices"
	"strings"
)

// Weakened reports whether checks can be switched off in this program.
const Weakened = true

// Variable is the environment variable that names the checks to switch off,
// separated by commas.
const Variable = "SIGHTLINE_WEAKEN"

// Off reports whether a check is switched off.
func Off(n Name) bool {
	return slices.Contains(strings.Split(os.Getenv(Variable), ","), string(n))
}
