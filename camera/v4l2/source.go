package v4l2

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/defects"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Source is a device of this machine. It implements camera.Source and
// camera.KeyFrameRequester.
type Source struct {
	opts Options // constant

	wantKey atomic.Bool // a key frame was asked for and the session has not heard

	running sync.Mutex // held by Run; guards what follows
	known   identity   // of the device watched first; zero before
	nodes   []string   // that the system had when the known device was looked at last
	told    string     // how the device was set up last
	defects *defects.Log
	vain    int // times in a row that a device was opened and delivered nothing

	mu     sync.Mutex   // guards what follows
	device *uapi.Device // that of the running session; nil without
}

var _ interface {
	camera.Source
	camera.KeyFrameRequester
} = (*Source)(nil)

// errRunning says that Run was called while another had not ended.
var errRunning = errors.New("v4l2: the source is running already")

// New returns a source. It does no I/O. Errors are about the options.
func New(o Options) (*Source, error) {
	if o.Address == "" {
		return nil, errorf(NotThere, "no device is named; write /dev/video0")
	}
	o = o.withDefaults()
	return &Source{opts: o, defects: defects.New(o.Logger)}, nil
}

// String returns the device's address.
func (s *Source) String() string { return s.opts.Address }

// Run implements camera.Source. Unless ctx ended, the error is an *Error. When the
// device was watched before, another one in its place is refused.
func (s *Source) Run(ctx context.Context, out camera.Output) error {
	if !s.running.TryLock() {
		return errRunning
	}
	defer s.running.Unlock()
	err := s.watch(ctx, out)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (s *Source) watch(ctx context.Context, out camera.Output) error {
	o, err := s.open(ctx)
	if err != nil {
		return err
	}
	s.setDevice(o.device)
	defer func() {
		s.setDevice(nil)
		_ = o.device.Close() // what was read is handed on; nothing is lost
	}()
	defer context.AfterFunc(ctx, o.device.Wake)()
	c, err := newSession(s, o, out)
	if err != nil {
		return err
	}
	defer c.close()
	err = c.run(ctx)
	s.lookAround(o.path)
	if s.vain++; c.frames > 0 {
		s.vain = 0
	}
	return err
}

// lookAround notes whether a twin of the camera that is watched has been plugged in:
// should both vanish, the one that comes back first may be either.
func (s *Source) lookAround(path string) {
	if s.known.twins {
		return
	}
	nodes := s.known.machine.names("/sys/class/video4linux/")
	if slices.Equal(nodes, s.nodes) {
		return
	}
	s.nodes = nodes
	s.known.twins = s.known.twinned(path)
}

func (s *Source) setDevice(d *uapi.Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.device = d
}

// RequestKeyFrame implements camera.KeyFrameRequester, at most twice a second: by the
// device's control, where it has one.
func (s *Source) RequestKeyFrame() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.device != nil && !s.wantKey.Swap(true) {
		s.device.Wake()
	}
}
