package testpattern_test

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs/testpattern"
)

const frameTime = 40 * time.Millisecond

// types returns the types of NAL units.
func types(nals [][]byte) []byte {
	var out []byte
	for _, n := range nals {
		out = append(out, n[0]&0x1F)
	}
	return out
}

func TestEncode_KeyFramesBeginWithParameterSets(t *testing.T) {
	e := newEncoder(t, testpattern.Options{Width: 640, Height: 360, GOP: 200 * time.Millisecond})
	sps, pps := e.ParameterSets()
	var keys []int
	for i := range 30 {
		if i == 12 {
			e.ForceKey()
		}
		nals := e.Encode(start().Add(time.Duration(i) * frameTime))
		if len(nals) == 1 {
			if diff := cmp.Diff([]byte{1}, types(nals)); diff != "" {
				t.Errorf("frame %d: %s", i, diff)
			}
			continue
		}
		keys = append(keys, i)
		if diff := cmp.Diff([]byte{7, 8, 5}, types(nals)); diff != "" {
			t.Errorf("frame %d: %s", i, diff)
		}
		if !bytes.Equal(nals[0], sps) || !bytes.Equal(nals[1], pps) {
			t.Errorf("frame %d: other parameter sets than ParameterSets", i)
		}
	}
	if diff := cmp.Diff([]int{0, 5, 10, 12, 17, 22, 27}, keys); diff != "" {
		t.Errorf("key frames: %s", diff)
	}
	if !bytes.HasPrefix(sps, []byte{0x67, 0x42, 0xE0, 31}) {
		t.Errorf("SPS begins % x, want constrained baseline at level 3.1", sps[:4])
	}
}

func TestEncode_ResultsAreNotReused(t *testing.T) {
	e := newEncoder(t, testpattern.Options{Width: 640, Height: 360})
	first := e.Encode(start())
	second := e.Encode(start().Add(frameTime))
	var copies [][]byte
	for _, n := range append(first, second...) {
		copies = append(copies, bytes.Clone(n))
	}
	for i := range 60 {
		e.Encode(start().Add(time.Duration(2+i) * frameTime))
	}
	if diff := cmp.Diff(copies, append(first, second...)); diff != "" {
		t.Error("units changed after they were handed out")
	}
}

func TestEncode_ReachesItsBitrateEvenly(t *testing.T) {
	for _, o := range []testpattern.Options{
		{Bitrate: 2_000_000},
		{Bitrate: 1_000_000, GOP: 10 * time.Second},
		{Width: 640, Height: 360, Bitrate: 400_000},
		{Width: 640, Height: 360, Bitrate: testpattern.MaxBitrate(640, 360, 25)},
	} {
		e := newEncoder(t, o)
		const seconds = 6
		var total, settled, largest int
		for i := range seconds * 25 {
			nals := e.Encode(start().Add(time.Duration(i) * frameTime))
			n := 0
			for _, nal := range nals {
				n += len(nal) * 8
			}
			total += n
			if len(nals) == 1 && i > 50 {
				largest = max(largest, n)
			}
			if i >= 2*25 {
				settled += n
			}
		}
		if got := float64(settled) / (seconds - 2) / float64(o.Bitrate); math.Abs(got-1) > 0.05 {
			t.Errorf("%dx%d at %d bit/s, GOP %v: %.3f of it spent", e.Options().Width, e.Options().Height, o.Bitrate, e.Options().GOP, got)
		}
		if mean := o.Bitrate / 25; largest > 2*mean {
			t.Errorf("%d bit/s: a P frame of %d bits, mean %d", o.Bitrate, largest, mean)
		}
	}
}

func TestEncode_FewAllocations(t *testing.T) {
	e := newEncoder(t, testpattern.Options{Bitrate: 2_000_000})
	now := start()
	for range 60 { // lets the bit buffer grow to a key frame's size
		e.Encode(now)
		now = now.Add(frameTime)
	}
	if n := testing.AllocsPerRun(40, func() {
		e.Encode(now)
		now = now.Add(frameTime)
	}); n > 3 {
		t.Errorf("%v allocations a frame", n)
	}
}

func TestNew_RefusesWhatCannotBeMade(t *testing.T) {
	for _, o := range []testpattern.Options{
		{Width: 640}, {Width: 638, Height: 360}, {Width: 641, Height: 360}, {Width: 1280, Height: 359},
		{Width: 7680, Height: 4320}, {Width: -2, Height: -2}, {FPS: -1}, {FPS: 121}, {GOP: -1}, {GOP: 2 * time.Hour},
		{Bitrate: -1}, {Bitrate: testpattern.MaxBitrate(1280, 720, 25) + 1}, {Width: 3840, Height: 2160, FPS: 60},
	} {
		if _, err := testpattern.New(o); !errors.Is(err, testpattern.ErrOptions) {
			t.Errorf("New(%+v): %v; want ErrOptions", o, err)
		}
	}
	want := testpattern.Options{Width: 1280, Height: 720, FPS: 25, GOP: 2 * time.Second, Title: "Test picture"}
	if diff := cmp.Diff(want, newEncoder(t, testpattern.Options{}).Options()); diff != "" {
		t.Errorf("defaults: %s", diff)
	}
}
