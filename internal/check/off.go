//go:build !weakened

package check

// Weakened reports whether checks can be switched off in this program.
const Weakened = false

// Off reports whether a check is switched off: never.
func Off(Name) bool { return false }
