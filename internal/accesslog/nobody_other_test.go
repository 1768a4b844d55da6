//go:build !linux

package accesslog

import "testing"

// asNobody cannot change the user here.
func asNobody(t *testing.T) {
	t.Helper()
	t.Skip("root may write everything")
}
