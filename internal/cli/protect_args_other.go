//go:build !linux

package cli

import (
	"errors"
	"slices"
)

// protectArgs returns the arguments; with an error a password is visible in the
// list of processes, which this system gives no way to change.
func protectArgs(args []string) ([]string, error) {
	if slices.ContainsFunc(args, func(a string) bool { return shownArg(a) != a }) {
		return args, errors.New("use --password-file or --password-env instead")
	}
	return args, nil
}
