package v4l2

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// interval of all devices in these tests.
const interval = time.Second / 25

// coder is a device that encodes, with the controls of a good one.
func coder() fakev4l2.Device {
	integer := func(id uint32, low, high, def int64) uapi.Control {
		return uapi.Control{ID: id, Type: uapi.TypeInteger, Name: "c", Min: low, Max: high, Step: 1, Default: def}
	}
	return fakev4l2.Device{
		Driver: "fake", Card: "Door", BusInfo: "usb-1",
		Formats: []fakev4l2.Format{{FourCC: uapi.H264, Compressed: true, Sizes: []fakev4l2.Size{fakev4l2.Discrete(640, 360, 25)}}},
		Controls: []uapi.Control{
			integer(uapi.ControlBFrames, 0, 2, 2), integer(uapi.ControlGOPSize, 1, 250, 250),
			integer(uapi.ControlBitrate, 100_000, 10_000_000, 4_000_000),
			{ID: uapi.ControlForceKeyFrame, Type: uapi.TypeButton, Name: "Force Key Frame"},
		},
	}
}

// raw is a device that gives pictures.
func raw() fakev4l2.Device {
	return fakev4l2.Device{
		Driver: "fake", Card: "Yard", BusInfo: "usb-2",
		Formats: []fakev4l2.Format{{FourCC: uapi.YUYV, Sizes: []fakev4l2.Size{fakev4l2.Discrete(640, 360, 25)}}},
	}
}

// video makes buffers of a stream.
type video struct {
	t       testing.TB
	encoder *testpattern.Encoder
}

func newVideo(t testing.TB) *video {
	t.Helper()
	e, err := testpattern.New(testpattern.Options{Width: 640, Height: 360, GOP: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return &video{t, e}
}

// next returns the next picture as a byte stream.
func (v *video) next() []byte { return stream(v.encoder.Encode(time.Now())...) }

func stream(units ...[]byte) (b []byte) {
	for _, u := range units {
		b = append(append(b, 0, 0, 0, 1), u...)
	}
	return b
}

// world is a device, a source that watches it under a supervisor, and what it hands on.
type world struct {
	t      *testing.T
	kernel *fakev4l2.Kernel
	node   *fakev4l2.Node
	out    *collector
	source *Source
	super  *camera.Supervisor
	end    func() error
}

// watch runs a source of the device until the test ends, in virtual time.
func watch(t *testing.T, d fakev4l2.Device, o Options) *world {
	t.Helper()
	k := fakev4l2.New()
	return watchOn(t, k, k.Add("/dev/video0", d), o)
}

func watchOn(t *testing.T, k *fakev4l2.Kernel, n *fakev4l2.Node, o Options) *world {
	t.Helper()
	o.Kernel = k
	if o.Address == "" {
		o.Address = n.Path()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, kernel: k, node: n, out: &collector{}, source: s}
	w.super = camera.NewSupervisor(s, w.out, camera.SupervisorOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.super.Run(ctx) }()
	w.end = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		_ = w.end()
		if f, m, p := k.OpenDescriptors(), k.Mappings(), k.Waiters(); f+m+p > 0 {
			t.Errorf("left open: %d devices, %d mappings, %d waiters", f, m, p)
		}
	})
	synctest.Wait()
	return w
}

// deliver lets the device deliver buffers, one an interval.
func (w *world) deliver(buffers ...[]byte) {
	w.t.Helper()
	for _, b := range buffers {
		w.node.Deliver(b)
		w.pass(interval)
	}
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // virtual time
	synctest.Wait()
}

// reason returns why the camera is offline, "" while it is live.
func (w *world) reason() string {
	if s := w.super.Status(); s.State == camera.Offline {
		return s.Reason
	}
	return ""
}

// collector keeps what a source hands on.
type collector struct {
	mu       sync.Mutex
	tracks   [][]codecs.Track
	units    []*codecs.Unit
	warnings map[string]string
}

func (c *collector) SetTracks(t []codecs.Track) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tracks = append(c.tracks, t)
}

func (c *collector) WriteUnit(u *codecs.Unit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.units = append(c.units, u)
}

func (c *collector) Warn(kind, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.warnings == nil {
		c.warnings = map[string]string{}
	}
	c.warnings[kind] = text
}

// take returns the units since the last call.
func (c *collector) take() []*codecs.Unit {
	c.mu.Lock()
	defer c.mu.Unlock()
	units := slices.Clone(c.units)
	c.units = nil
	return units
}
