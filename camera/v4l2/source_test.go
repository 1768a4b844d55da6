package v4l2

import (
	"bytes"
	"math"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

func TestSource_PassesVideoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{})
		v := newVideo(t)
		begin := time.Now()
		var sent [][][]byte
		const lag = 3 * time.Millisecond // of the driver
		for range 10 {
			units := v.encoder.Encode(time.Now())
			sent = append(sent, units)
			stamped := w.kernel.Monotonic()
			w.pass(lag)
			if !w.node.Deliver(stream(units...), fakev4l2.WithTime(stamped)) {
				t.Fatal("the source has no room for a picture")
			}
			w.pass(interval - lag)
		}
		units := w.out.take()
		if len(units) != len(sent) || w.reason() != "" {
			t.Fatalf("%d units of %d; %s", len(units), len(sent), w.reason())
		}
		for i, u := range units {
			if got, want := bytes.Join(u.Payload, []byte("|")), bytes.Join(sent[i], []byte("|")); !bytes.Equal(got, want) {
				t.Errorf("picture %d was changed", i)
			}
			captured := begin.Add(time.Duration(i) * interval)
			if u.Key != (i == 0) || !u.Wall.Equal(captured) || !u.Arrived.Equal(captured.Add(lag)) {
				t.Errorf("picture %d: key %v, captured %v and arrived %v after the beginning", i, u.Key, u.Wall.Sub(begin), u.Arrived.Sub(begin))
			}
			if d := u.PTS - units[0].PTS; d != int64(i)*3600 {
				t.Errorf("picture %d: PTS %d after the first", i, d)
			}
		}
		if tracks := w.out.tracks[len(w.out.tracks)-1]; tracks[0].Codec != codecs.H264 || len(tracks[0].SPS) == 0 {
			t.Errorf("track %+v has no parameter sets", tracks[0])
		}
	})
}

func TestSource_SetsTheDeviceUpForLiveVideo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{Bitrate: 99_000_000, KeyInterval: 3 * time.Second})
		if got := w.node.Interval(); got != (uapi.Fraction{Numerator: 1, Denominator: 25}) {
			t.Errorf("interval %v", got)
		}
		for id, want := range map[uint32]int64{uapi.ControlBFrames: 0, uapi.ControlGOPSize: 75, uapi.ControlBitrate: 10_000_000} {
			if got := w.node.Value(id); got != want {
				t.Errorf("control %#x is %d, want %d", id, got, want)
			}
		}
	})
}

func TestSource_SaysWhichSettingTheDeviceDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := coder()
		d.Controls = nil
		w := watch(t, d, Options{Bitrate: 1_000_000})
		w.deliver(newVideo(t).next())
		if text := w.out.warnings["device-settings"]; !strings.Contains(text, "bitrate") {
			t.Errorf("warnings %q", w.out.warnings)
		}
	})
}

func TestSource_AsksForKeyFramesAtMostTwiceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{})
		w.deliver(newVideo(t).next())
		before := w.node.Presses(uapi.ControlForceKeyFrame)
		for range 100 {
			w.source.RequestKeyFrame()
			w.pass(20 * time.Millisecond)
		}
		if n := w.node.Presses(uapi.ControlForceKeyFrame) - before; n < 3 || n > 5 {
			t.Errorf("asked %d times within 2 s", n)
		}
	})
}

// A device that cannot be asked for a key frame begins with one.
func TestSource_StartsTheStreamAgainForAKeyFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := coder()
		d.Controls = nil
		w := watch(t, d, Options{})
		v := newVideo(t)
		starts := 0
		w.node.Intercept(func(request uint32, _ unsafe.Pointer, err error) error {
			if request == uint32(abi.StreamOn) {
				starts++
				v.encoder.ForceKey()
			}
			return err
		})
		keys, early := 0, 0
		for i := range 25 * 33 {
			switch {
			case i == 25*16:
				v.encoder.ForceKey() // of the device's own accord
			case i == 25*17:
				w.source.RequestKeyFrame() // while the last one is near
			case i == 25*18:
				early = starts
			case i > 25*22:
				w.source.RequestKeyFrame() // all the time
			}
			w.deliver(v.next())
			for _, u := range w.out.take() {
				if u.Key {
					keys++
				}
			}
		}
		if early != 0 || starts != 1 || keys != 3 {
			t.Errorf("the stream was started again %d times too early and %d times in all, and had %d key frames, want 0, 1, 3", early, starts, keys)
		}
		if w.reason() != "" {
			t.Error(w.reason())
		}
	})
}

func TestSource_DropsWhatIsDamagedAndAsksForAKeyFrame(t *testing.T) {
	for name, spoil := range map[string]func(*world, []byte){
		"damaged":     func(w *world, b []byte) { w.node.Deliver(b, fakev4l2.WithFlags(abi.BufFlagError)) },
		"missing":     func(w *world, b []byte) { w.node.Deliver(b, fakev4l2.WithSequence(12)) },
		"no video":    func(w *world, _ []byte) { w.node.Deliver([]byte("not a byte stream")) },
		"wrong index": func(w *world, b []byte) { w.node.Deliver(b, fakev4l2.WithIndex(77)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, coder(), Options{})
				v := newVideo(t)
				for range 5 {
					w.deliver(v.next())
				}
				before, n := w.node.Presses(uapi.ControlForceKeyFrame), len(w.out.take())
				spoil(w, v.next())
				w.pass(interval)
				w.pass(2 * time.Second) // a device whose driver lies is opened anew
				asked := w.node.Presses(uapi.ControlForceKeyFrame) - before
				v.encoder.ForceKey()
				w.deliver(v.next(), v.next())
				if units := w.out.take(); n != 5 || asked == 0 && name != "wrong index" || len(units) < 2 || !units[len(units)-2].Key {
					t.Errorf("%d units before, %d key frames asked for, %d units after; %s", n, asked, len(units), w.reason())
				}
			})
		})
	}
}

func TestSource_ComesBackWhenPluggedInAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		away time.Duration
		plug func(*world)
	}{
		{"at once", time.Second, func(w *world) { w.kernel.Plug(w.node) }},
		{"after a while", 20 * time.Minute, func(w *world) { w.kernel.Plug(w.node) }},
		{"under another number", time.Minute, func(w *world) { w.kernel.PlugAs(w.node, "/dev/video4") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, coder(), Options{})
				v := newVideo(t)
				w.deliver(v.next(), v.next())
				w.node.Unplug()
				w.pass(time.Millisecond)
				if text := w.reason(); !strings.Contains(text, "/dev/video0 is gone; plug the camera in again") {
					t.Errorf("status %q", text)
				}
				w.pass(c.away)
				w.out.take()
				c.plug(w)
				w.pass(2 * lookAgain)
				v.encoder.ForceKey()
				w.deliver(v.next())
				if units := w.out.take(); len(units) != 1 || !units[0].Key || w.super.Status().State != camera.Live {
					t.Errorf("%d units half a second after it was plugged in; %q", len(units), w.reason())
				}
			})
		})
	}
}

// Whoever may watch the door must not see the nursery because somebody moved a plug.
func TestSource_NeverShowsAnotherCameraInstead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{})
		v := newVideo(t)
		w.deliver(v.next())
		w.node.Unplug()
		w.pass(time.Second)
		other := coder()
		other.Card, other.BusInfo = "Nursery", "usb-9"
		nursery := w.kernel.Add("/dev/video0", other)
		w.pass(time.Minute)
		if nursery.Streaming() || !strings.Contains(w.reason(), "is now Nursery, where Door was") {
			t.Errorf("streams: %v; status %q", nursery.Streaming(), w.reason())
		}
		w.kernel.PlugAs(w.node, "/dev/video1")
		w.pass(2 * lookAgain)
		w.out.take()
		v.encoder.ForceKey()
		w.deliver(v.next())
		if nursery.Streaming() || len(w.out.take()) != 1 {
			t.Errorf("the camera that was watched is not found under its new number; %q", w.reason())
		}
	})
}

func TestSource_FollowsItsCameraToAnotherSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{})
		v := newVideo(t)
		w.deliver(v.next())
		w.node.Unplug()
		w.pass(time.Second)
		moved := coder()
		moved.BusInfo = "usb-3"
		w.node = w.kernel.Add("/dev/video2", moved)
		w.pass(2 * lookAgain)
		w.out.take()
		v.encoder.ForceKey()
		w.deliver(v.next())
		if len(w.out.take()) != 1 {
			t.Errorf("it is not watched in the other socket: %q", w.reason())
		}
	})
}

func TestSource_BusyUntilTheOtherEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := watch(t, coder(), Options{})
		v := newVideo(t)
		first.deliver(v.next())
		second := watchOn(t, first.kernel, first.node, Options{})
		if !strings.Contains(second.reason(), "/dev/video0 is in use by") {
			t.Errorf("status of the second %q", second.reason())
		}
		first.deliver(v.next())
		if n := len(first.out.take()); n != 2 {
			t.Errorf("the first got %d pictures of 2", n)
		}
		_ = first.end()
		second.pass(tryAgain + time.Second)
		v.encoder.ForceKey()
		second.deliver(v.next())
		if n := len(second.out.take()); n != 1 {
			t.Errorf("the second got %d pictures after the first had ended; %q", n, second.reason())
		}
		_ = second.end()
	})
}

func TestSource_TellsOfADriverThatStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{})
		v := newVideo(t)
		w.deliver(v.next())
		for range 6 {
			w.source.RequestKeyFrame() // waking it is no picture
			w.pass(time.Second)
		}
		if text := w.reason(); !strings.Contains(text, "/dev/video0 (Door) delivers no pictures any more") {
			t.Errorf("status %q", text)
		}
		w.pass(2 * time.Second)
		v.encoder.ForceKey()
		w.deliver(v.next())
		if w.super.Status().State != camera.Live {
			t.Errorf("not live again: %q", w.reason())
		}
	})
}

func TestSource_SaysWhatToDo(t *testing.T) {
	output := coder()
	output.Caps = abi.CapVideoOutput | abi.CapStreaming
	thermal := coder()
	thermal.Formats[0].FourCC = uapi.FourCC('Y') | 'U'<<8 | 'X'<<16 | 'Z'<<24
	for _, c := range []struct {
		name   string
		device fakev4l2.Device
		o      Options
		spoil  func(*fakev4l2.Node)
		reason Reason
		text   string
	}{
		{"not there", coder(), Options{Address: "/dev/video7"}, nil, NotThere, "there is no /dev/video7; plug the camera in"},
		{"no such card", coder(), Options{Address: "v4l2:Garage"}, nil, NotThere, `there is no camera "Garage"; there is /dev/video0 (Door)`},
		{"no permission", coder(), Options{}, func(n *fakev4l2.Node) { n.FailOpen(syscall.EACCES) }, NoPermission, "/dev/video0"},
		{"an output", output, Options{}, nil, NotCapture, "/dev/video0 (Door) gives no pictures"},
		{"nothing usable", thermal, Options{}, nil, NoFormat, "YUXZ"},
		{"another size", coder(), Options{Want: Want{Width: 1920, Height: 1080}}, nil, NoFormat, "640x360"},
		{"pictures only, and no encoder", raw(), Options{}, nil, NoEncoder, "-tags device"},
		{"the driver refuses", coder(), Options{}, func(n *fakev4l2.Node) { n.Fail(uint32(abi.StreamOn), syscall.EIO) }, Driver, "starting the stream"},
		{"no room", coder(), Options{}, func(n *fakev4l2.Node) { n.Fail(uint32(abi.ReqBufs), syscall.ENOMEM) }, Driver, "making room"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := fakev4l2.New()
				n := k.Add("/dev/video0", c.device)
				if c.spoil != nil {
					c.spoil(n)
				}
				c.o.Kernel = k
				if c.o.Address == "" {
					c.o.Address = "/dev/video0"
				}
				if c.reason == NoEncoder {
					c.o.newEncoder = nil
				}
				s, err := New(c.o)
				if err != nil {
					t.Fatal(err)
				}
				if c.reason == NoEncoder {
					s.opts.newEncoder = nil // also in a binary that has one
				}
				err = s.Run(t.Context(), &collector{})
				e, ok := err.(*Error) //nolint:errorlint // it must be this type, not wrap it
				if !ok || e.Reason != c.reason || !strings.Contains(e.Error(), c.text) {
					t.Errorf("%T %v, want %s with %q", err, err, c.reason, c.text)
				}
				if k.OpenDescriptors()+k.Mappings()+k.Waiters() > 0 {
					t.Error("something was left open")
				}
			})
		})
	}
}

func TestSource_EndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{})
		begin := time.Now()
		_ = w.end()
		if d := time.Since(begin); d != 0 {
			t.Errorf("it took %v to end", d)
		}
		w.source.RequestKeyFrame() // of nothing
	})
}

func TestSource_BelievesNoStrangeTimeStamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{})
		v := newVideo(t)
		for i, o := range []fakev4l2.DeliverOption{
			fakev4l2.WithoutTime(), fakev4l2.WithTimeval(math.MaxInt32, -1), fakev4l2.WithTimeval(-5, 7), fakev4l2.WithTime(w.kernel.Monotonic() + time.Hour),
		} {
			w.node.Deliver(v.next(), o)
			w.pass(interval)
			units := w.out.take()
			if len(units) != 1 || !units[0].Wall.Equal(units[0].Arrived) {
				t.Errorf("time stamp %d was believed, or the picture lost: %d units", i, len(units))
			}
		}
	})
}

// A loopback device keeps the last picture of whoever wrote to it before.
func TestSource_LeavesOutPicturesFromBefore(t *testing.T) {
	for _, age := range []time.Duration{3 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			w := watch(t, coder(), Options{})
			v := newVideo(t)
			old := v.next()
			w.node.Unplug()
			w.pass(2 * age)
			w.kernel.Plug(w.node)
			w.pass(time.Second)
			w.node.Deliver(old, fakev4l2.WithTime(w.kernel.Monotonic()-age))
			w.pass(interval)
			if n := len(w.out.take()); n != 0 {
				t.Errorf("a picture of %v ago was handed on", age)
			}
			v.encoder.ForceKey()
			w.deliver(v.next())
			if n := len(w.out.take()); n != 1 {
				t.Errorf("%d pictures after it", n)
			}
		})
	}
}
