package v4l2

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/v4l2/encoder"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/internal/lab/fakev4l2"
)

// slow makes a request of a device take a time.
func slow(n *fakev4l2.Node, slowest uint32, d time.Duration) {
	n.Intercept(func(request uint32, _ unsafe.Pointer, err error) error {
		if request == slowest && err == nil {
			time.Sleep(d) //nolint:forbidigo // virtual time
		}
		return err
	})
}

// USB cameras that are slow to answer take up to five seconds for a request.
func TestSource_ADriverThatStartsSlowlyHasNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := fakev4l2.New()
		n := k.Add("/dev/video0", coder())
		slow(n, abi.StreamOn, patience+time.Second)
		w := watchOn(t, k, n, Options{})
		w.pass(patience + 2*time.Second)
		w.deliver(newVideo(t).next())
		if w.super.Status().State != camera.Live {
			t.Errorf("not live: %q", w.reason())
		}
	})
}

// Who stood still for as long, here by a control that is slow, looks first what has come
// meanwhile.
func TestSource_APictureThatCameWhileItStoodStillCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{})
		v := newVideo(t)
		for range maxStale {
			w.deliver(v.next())
		}
		slow(w.node, abi.SetExtCtrls, patience+time.Second)
		w.pass(keyAtMost)
		w.source.RequestKeyFrame()
		w.deliver(v.next(), v.next())
		w.node.Intercept(nil)
		w.pass(patience + time.Second)
		if n := len(w.out.take()); n != maxStale+2 || w.reason() != "" {
			t.Errorf("%d pictures of %d: %q", n, maxStale+2, w.reason())
		}
	})
}

func TestSource_TellsOfADriverWithoutOneGoodPicture(t *testing.T) {
	for name, option := range map[string]fakev4l2.DeliverOption{
		"damaged": fakev4l2.WithFlags(abi.BufFlagError), "empty": fakev4l2.WithBytesUsed(0),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, coder(), Options{})
				v := newVideo(t)
				for range 5*25 + 2 {
					w.node.Deliver(v.next(), option)
					w.pass(interval)
				}
				if text := w.reason(); !strings.Contains(text, "only damaged or empty pictures, for 5s now; try another cable") {
					t.Errorf("status %q", text)
				}
			})
		})
	}
}

// A key frame that is wanted soon after the last one was asked for comes all the same.
func TestSource_KeepsARequestThatComesTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{})
		v := newVideo(t)
		w.deliver(v.next())
		w.pass(time.Second)
		before := w.node.Presses(uapi.ControlForceKeyFrame)
		w.source.RequestKeyFrame()
		w.pass(100 * time.Millisecond)
		for range 100 {
			w.source.RequestKeyFrame()
		}
		w.pass(100 * time.Millisecond)
		early := w.node.Presses(uapi.ControlForceKeyFrame) - before
		w.pass(time.Second)
		if all := w.node.Presses(uapi.ControlForceKeyFrame) - before; early != 1 || all != 2 {
			t.Errorf("%d requests after 0.2 s and %d after 1.2 s, want 1 and 2", early, all)
		}
	})
}

// Some encoders write the delimiter or the parameter sets of the next picture behind a
// picture.
func TestSource_WhatFollowsAPictureDoesNotChangeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, coder(), Options{})
		v := newVideo(t)
		begin := time.Now()
		for range 4 {
			want := int64(time.Since(begin)) * clockRate / int64(time.Second)
			w.node.Deliver(append(v.next(), 0, 0, 0, 1, 0x09, 0xf0))
			w.pass(time.Millisecond)
			units := w.out.take()
			if len(units) != 1 {
				t.Fatalf("%d units; %s", len(units), w.reason())
			}
			if got := units[0].PTS; got < want || got > want+1 {
				t.Errorf("PTS %d, want %d", got, want)
			}
			w.pass(interval)
		}
	})
}

func TestSource_SaysWhatToDoAboutDrivers(t *testing.T) {
	unconnected := coder()
	unconnected.Caps = abi.CapVideoCapture | abi.CapStreaming | abi.CapIOMC
	planes := coder()
	planes.MPlane, planes.Formats[0].Planes = true, 2
	for _, c := range []struct {
		name    string
		device  fakev4l2.Device
		request uint32
		errno   syscall.Errno
		reason  Reason
		text    string
	}{
		{"two cameras at one USB bus", coder(), abi.StreamOn, syscall.ENOSPC, Driver, "the USB bus has no room left for the stream of /dev/video0; plug the camera into another port"},
		{"no memory", coder(), abi.ReqBufs, syscall.ENOMEM, Driver, "(making room for pictures); choose a smaller --size"},
		{"a sensor whose pipeline is not set up", unconnected, abi.StreamOn, syscall.EPIPE, NotCapture, "libcamera"},
		{"pictures in two planes", planes, 0, 0, NoFormat, "choose another --format"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := fakev4l2.New()
			n := k.Add("/dev/video0", c.device)
			if c.request != 0 {
				n.Fail(c.request, c.errno)
			}
			s, err := New(Options{Address: "/dev/video0", Kernel: k})
			if err != nil {
				t.Fatal(err)
			}
			e, ok := errors.AsType[*Error](s.Run(t.Context(), &collector{}))
			if !ok || e.Reason != c.reason || !strings.Contains(e.Error(), c.text) || strings.Contains(e.Error(), "unplug") {
				t.Errorf("%v, want %s with %q", e, c.reason, c.text)
			}
		})
	}
}

func TestAbsentText_KnowsContainers(t *testing.T) {
	m := machineWith(t, map[string]string{"sys/class/video4linux/video0/name": "HD Webcam"})
	if got := m.absentText("/dev/video0"); !strings.Contains(got, "`--device /dev/video0`") || !strings.Contains(got, "PrivateDevices=no") {
		t.Error(got)
	}
	for _, path := range []string{"/dev/video1", "/video0", "/dev/"} {
		if got := m.absentText(path); !strings.Contains(got, "there is no "+path) {
			t.Error(got)
		}
	}
}

func TestSource_TakesTheSizeThatComesWithTheRate(t *testing.T) {
	for name, want := range map[string]Want{"any": {}, "one": {Width: 640, Height: 360}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := fakev4l2.New()
				d := raw()
				n := k.Add("/dev/video0", d)
				n.Intercept(func(request uint32, arg unsafe.Pointer, err error) error {
					if request == abi.GetFmt {
						p := (*abi.Format)(arg).Pix()
						p.Width, p.Height, p.BytesPerLine, p.SizeImage = 320, 180, 640, 320*180*2
					}
					return err
				})
				var got encoder.Settings
				s, err := New(Options{Address: "/dev/video0", Kernel: k, Want: want, newEncoder: func(s encoder.Settings) (pictureEncoder, error) {
					got = s
					return nil, errors.New("enough")
				}})
				if err != nil {
					t.Fatal(err)
				}
				err = s.Run(t.Context(), &collector{})
				if want == (Want{}) && (got.Width != 320 || got.Height != 180 || got.Stride != 640) {
					t.Errorf("encodes %dx%d with %d bytes a line; %v", got.Width, got.Height, got.Stride, err)
				}
				if want != (Want{}) && (err == nil || !strings.Contains(err.Error(), "320x180 when asked for 640x360")) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// tally counts the requests of a kind.
func tally(kind uint32, n *int) func(uint32, unsafe.Pointer, error) error {
	return func(request uint32, _ unsafe.Pointer, err error) error {
		if request == kind {
			*n++
		}
		return err
	}
}

// Whoever looks at the page has to learn that a driver hangs, while it does.
func TestSource_TellsOfADriverThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := fakev4l2.New()
		n := k.Add("/dev/video0", coder())
		slow(n, abi.StreamOn, 10*time.Minute)
		w := watchOn(t, k, n, Options{})
		w.pass(time.Minute)
		if text := w.reason(); !strings.Contains(text, "it hangs") {
			t.Errorf("status %q", text)
		}
		n.Intercept(nil)
		w.pass(9*time.Minute + 2*time.Second)
		w.deliver(newVideo(t).next())
		if w.super.Status().State != camera.Live {
			t.Errorf("not live again: %q", w.reason())
		}
	})
}

func TestSource_WatchesACameraOfOnePictureInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := coder()
		d.Formats[0].Sizes[0].Intervals = []uapi.FrameInterval{every(10, 1)}
		w := watch(t, d, Options{})
		v := newVideo(t)
		w.deliver(v.next())
		for range 10 {
			w.pass(10*time.Second + interval)
			w.deliver(v.next())
		}
		if n := len(w.out.take()); n != 11 || w.super.Status().State != camera.Live {
			t.Errorf("%d pictures of 11: %q", n, w.reason())
		}
		w.pass(105 * time.Second)
		if text := w.reason(); !strings.Contains(text, "delivers no pictures any more, for 1m40s now") {
			t.Errorf("status %q", text)
		}
	})
}

func TestSource_AsksForWholePicturesOfAnInterlacedDevice(t *testing.T) {
	for name, refuses := range map[string]bool{"gives them": false, "cannot": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const alternate = 7
				k := fakev4l2.New()
				n := k.Add("/dev/video0", coder())
				field := uint32(alternate)
				n.Intercept(func(request uint32, arg unsafe.Pointer, err error) error {
					if request == abi.SetFmt {
						p := (*abi.Format)(arg)
						if field != alternate && !refuses {
							p.Pix().Field = abi.FieldInterlaced
						} else {
							p.Pix().Field = alternate
						}
						field = abi.FieldInterlaced
					}
					return err
				})
				w := watchOn(t, k, n, Options{})
				w.deliver(newVideo(t).next())
				if text := w.out.warnings["device-settings"]; strings.Contains(text, "interlaced") != refuses {
					t.Errorf("warns of %q; %s", text, w.reason())
				}
			})
		})
	}
}

// A camera with a bad plug resets itself every few seconds, for days.
func TestSource_WritesFewLinesOfACameraThatResetsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines strings.Builder
		w := watch(t, coder(), Options{Logger: slog.New(slog.NewTextHandler(&lines, nil))})
		v := newVideo(t)
		for range 100 {
			v.encoder.ForceKey()
			w.deliver(v.next())
			w.node.Deliver(v.next(), fakev4l2.WithFlags(abi.BufFlagError))
			w.pass(interval)
			w.node.Unplug()
			w.pass(time.Second)
			w.kernel.Plug(w.node)
			w.pass(time.Second)
		}
		if n := len(w.out.take()); n != 100 {
			t.Errorf("%d pictures of 100", n)
		}
		_ = w.end()
		if n := strings.Count(lines.String(), "\n"); n > 6 {
			t.Errorf("%d lines:\n%.600s", n, lines.String())
		}
	})
}

// The key frame that a stream is started again for must not be torn.
func TestSource_KnowsASpreadingDriverWhenItIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := coder()
		d.Controls = nil
		starts := 0
		k := fakev4l2.New()
		n := k.Add("/dev/video0", d)
		n.Intercept(tally(abi.StreamOn, &starts))
		w := watchOn(t, k, n, Options{})
		v := newVideo(t)
		slice := func(kind byte) []byte { return stream([]byte{kind, 0x45, 0x88, 0x84, 0x21, 0xa0}) }
		for range 16 * 25 {
			w.deliver(v.next(), slice(0x41))
			w.out.take()
		}
		w.source.RequestKeyFrame()
		w.pass(time.Second)
		v.encoder.ForceKey()
		w.deliver(v.next(), slice(0x65), v.next())
		units := w.out.take()
		if starts != 2 || len(units) == 0 {
			t.Fatalf("%d starts, %d units; %s", starts, len(units), w.reason())
		}
		if key := units[0]; !key.Key || !bytes.Contains(bytes.Join(key.Payload, nil), []byte{0x65, 0x45, 0x88}) {
			t.Errorf("a key frame: %v; the second half of it is missing", key.Key)
		}
	})
}

func TestSource_SaysWhatIsWrongWithVideoThatCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		buffer []byte
		text   string
	}{
		"no video":          {[]byte("\xff\xd8\xff\xe0 a JPEG"), "(Door) delivers what is no H264"},
		"no parameter sets": {stream(first(1)), "(Door) delivers video without parameter sets"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, coder(), Options{})
				for range 10*25 - 2 {
					w.deliver(c.buffer)
					if w.reason() != "" {
						break
					}
				}
				if text := w.reason(); !strings.Contains(text, c.text) {
					t.Errorf("status %q", text)
				}
			})
		})
	}
}

// USB cameras take up to a tenth of a second to say the value of a control.
func TestSource_AsksForNoValuesBeforeTheFirstPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := fakev4l2.New()
		n := k.Add("/dev/video0", coder())
		asked := 0
		n.Intercept(tally(abi.GetExtCtrls, &asked))
		w := watchOn(t, k, n, Options{})
		w.deliver(newVideo(t).next())
		if asked > 0 || w.super.Status().State != camera.Live {
			t.Errorf("asked %d times; %s", asked, w.reason())
		}
	})
}
