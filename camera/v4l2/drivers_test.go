package v4l2

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/sightline-cam/sightline/camera"
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
