//go:build linux

package v4l2

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/internal/lab/netns"
)

func TestMain(m *testing.M) {
	netns.Apart()
	goleak.VerifyTestMain(m)
}
