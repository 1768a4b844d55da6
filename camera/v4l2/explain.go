package v4l2

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// explain makes a sentence of what the kernel says about a device at a path.
func explain(path, doing string, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	errno, _ := errors.AsType[syscall.Errno](err)
	switch {
	case errors.Is(err, errors.ErrUnsupported) && errno == 0 && runtime.GOOS == "linux":
		return errorf(NoFormat, "%s cannot be used as it is set up: %v; choose another --format, see --list", path, err)
	case errors.Is(err, errors.ErrUnsupported) && errno == 0:
		return errorf(Unsupported, "%s cannot be watched: devices of the machine itself are understood on Linux only; give the camera's rtsp:// address", path)
	case errno == syscall.EACCES, errno == syscall.EPERM:
		return errorf(NoPermission, "%s", permissionText(path))
	case errno == syscall.ENOENT, errno == syscall.ENXIO:
		return errorf(NotThere, "%s", machine{}.absentText(path))
	case errno == syscall.ENODEV:
		return errorf(Unplugged, "%s is gone; plug the camera in again", path)
	case errno == syscall.EBUSY:
		by := usedBy(path)
		if by == "" {
			by = "another program"
		}
		return errorf(Busy, "%s is in use by %s; end that, or watch the camera through it", path, by)
	case errno == syscall.ENOSPC:
		return errorf(Driver, "the USB bus has no room left for the stream of %s; plug the camera into another port of the computer, away from other cameras, "+
			"or choose a smaller --size, a lower --rate or --format MJPG", path)
	case errno == syscall.ENOMEM:
		return errorf(Driver, "the system has no memory left for %s (%s); choose a smaller --size, or start the kernel with more for devices (cma=256M)", path, doing)
	case errno == syscall.EMFILE, errno == syscall.ENFILE:
		return errorf(Driver, "%s cannot be opened: %v; raise the limit of open files (`ulimit -n`, or LimitNOFILE= of the service)", path, errno)
	case errno == syscall.ENOTTY, errno == syscall.ENOTDIR, errno == syscall.EISDIR:
		return errorf(NotCapture, "%s is no camera; run `sightline camera --list` for those that there are", path)
	}
	return errorf(Driver, "the driver of %s fails at %s: %v; unplug the camera and plug it in again", path, doing, err)
}

// absentText says that there is no node at a path: a camera that the kernel knows all
// the same is kept from this program.
func (m machine) absentText(path string) string {
	name, ok := strings.CutPrefix(path, "/dev/")
	_, err := os.Stat(m.root + "/sys/class/video4linux/" + name)
	if !ok || name == "" || strings.Contains(name, "/") || err != nil {
		return "there is no " + path + "; plug the camera in, or run `sightline camera --list` for those that there are"
	}
	return "the kernel has " + path + ", but this program does not see it: start the container with `--device " + path +
		"` (again, after the camera was plugged in), the service of systemd with `PrivateDevices=no`"
}

func (o *opened) explain(doing string, err error) error {
	return o.source.waiting(explain(o.path, doing, err))
}

// stalled says that the driver delivers nothing.
func (o *opened) stalled(after time.Duration, frames, useless uint64) error {
	if useless > 0 {
		return o.source.waiting(errorf(Stalled, "%s delivers only damaged or empty pictures, for %v now; try another cable, a port without a hub, or a smaller --size",
			o.name(), after.Round(time.Second)))
	}
	when := "since it was started"
	if frames > 0 {
		when = "any more"
	}
	return o.source.waiting(errorf(Stalled, "%s delivers no pictures %s, for %v now; unplug it and plug it in again, into another port if that helps",
		o.name(), when, after.Round(time.Second)))
}

// ended says that the driver ended the stream.
func (o *opened) ended() error {
	if _, err := o.device.Capability(); err != nil {
		return o.explain("waiting for a picture", err)
	}
	return o.source.waiting(errorf(Driver, "the driver of %s ended the stream; it is started again", o.name()))
}

// Times between two looks whether a device can be watched again.
const (
	lookAgain = 250 * time.Millisecond
	tryAgain  = 3 * time.Second
)

// waiting lets the error know when another attempt is worth while.
func (s *Source) waiting(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	switch e.Reason {
	case NotThere, Unplugged, OtherDevice:
		e.wait = func(ctx context.Context) { s.waitFor(ctx, e.Reason) }
	case Busy, NoPermission:
		e.wait = func(ctx context.Context) { pause(ctx, tryAgain) }
	case NotCapture, NoFormat, NoEncoder, Ambiguous, Stalled, Driver, Unsupported:
	}
	return e
}

// waitFor returns when the device is there. To ask what the nodes are means to open
// them, which wakes cameras that sleep: only when there are other nodes than before,
// and now and then.
func (s *Source) waitFor(ctx context.Context, was Reason) {
	const nowAndThen, enough = 16, 3 // looks, attempts
	if was != OtherDevice && s.vain >= enough && !pause(ctx, tryAgain) {
		return // it is there and fails all the same
	}
	var before []string
	for n := 0; pause(ctx, lookAgain); n++ {
		nodes := machineOf(s.opts.Kernel).nodes(s.opts.Kernel)
		if n%nowAndThen != 0 && slices.Equal(nodes, before) {
			continue
		}
		before = nodes
		path, found, err := s.locate()
		if err != nil {
			continue
		}
		if d, err := uapi.Open(s.opts.Kernel, path); err == nil {
			_ = d.Close()
			if was != OtherDevice || found || s.known.isAt(s.opts.Kernel, path) {
				return
			}
		}
	}
}

// settling is how long the node of a device that was just plugged in may refuse us:
// it belongs to root until udev has given it to its group.
const settling = 2 * time.Second

// openSoon opens a device, and a little later one that has only just appeared.
func (s *Source) openSoon(ctx context.Context, path string) (*uapi.Device, error) {
	for begin := time.Now(); ; {
		d, err := uapi.Open(s.opts.Kernel, path)
		if err == nil {
			return d, nil
		}
		young := errors.Is(err, syscall.EACCES) && appeared(path, settling) && time.Since(begin) < settling
		if !young || !pause(ctx, lookAgain) {
			return nil, explain(path, "opening it", err)
		}
	}
}

// pause waits and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// appeared reports whether the node at a path was made less than d ago.
func appeared(path string, d time.Duration) bool {
	info, err := os.Stat(path)
	return err == nil && time.Since(info.ModTime()) < d
}
