//go:build linux

package v4l2

import (
	"github.com/sightline-cam/sightline/internal/lab/netns"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/vm"
)

func TestV4L2(t *testing.T) {
	vm.Need(t)
	dir, err := vm.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var k *vm.Kernel
	err = netns.Outside(func() (err error) {
		k, err = vm.Open(t.Context(), dir)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("kernel", time.Since(began))
	m := vm.Boot(t, k, vm.Options{})
	t.Log("booted", time.Since(began))
	m.Load(t, "vivid", "n_devs=2")
	m.Load(t, "v4l2loopback", "devices=2", "video_nr=20,21", "exclusive_caps=1,1")
	t.Log("loaded", time.Since(began))
	t.Log(m.Sh(t, "cat /proc/modules; ls -la /dev/; cat /proc/uptime; free; dmesg | tail -50"))
	m.Unload(t, "vivid")
	m.Load(t, "vivid", "n_devs=2")
	t.Log("loaded again", time.Since(began))
}
