package index

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/recordings"
)

// typical is what 5 minutes of a camera with sound look like: a jitter in all.
func typical(start recordings.Time, n int) (fragments []recordings.Fragment) {
	r := rand.New(rand.NewPCG(1, 2))
	offset, media := int64(1100), int64(0)
	for range n {
		f := recordings.Fragment{
			Start: start, Duration: time.Second + time.Duration(r.IntN(4000)-2000)*time.Microsecond, MediaStart: media, Offset: offset,
			Bytes: 250_000 + int64(r.IntN(20_000)), Key: true, Frames: 25,
		}
		f.VideoBytes = f.Bytes - 8_000 - int64(r.IntN(200))
		fragments = append(fragments, f)
		start, offset, media = f.End(), offset+f.Bytes, media+90_000+int64(r.IntN(4))
	}
	return fragments
}

func fragmentLists() map[string][]recordings.Fragment {
	return map[string][]recordings.Fragment{
		"none":    nil,
		"typical": typical(noon, 300),
		"one":     {{Start: noon, Duration: time.Second, Offset: 900, Bytes: 5, VideoBytes: 5, Key: true, Frames: 1}},
		"odd": {
			{Start: noon + 7, Duration: 0, MediaStart: -90_000, Offset: 0, Bytes: 0},
			{Start: noon - 7, Duration: maxDuration * time.Microsecond, MediaStart: maxTime, Offset: maxSize, Bytes: maxSize, Frames: maxFrames},
			{Start: 0, MediaStart: -maxTime, Offset: 3, Bytes: maxSize, VideoBytes: maxSize, Key: true},
		},
	}
}

func TestFragments_ComeBackAsTheyWere(t *testing.T) {
	for name, fragments := range fragmentLists() {
		t.Run(name, func(t *testing.T) {
			data := must(encodeFragments(noon, fragments))(t)
			got := must(decodeFragments(noon, data))(t)
			if diff := cmp.Diff(fragments, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFragments_TakeTwelveBytesEach(t *testing.T) {
	data := must(encodeFragments(noon, typical(noon, 300)))(t)
	if each := len(data) / 300; each > 12 {
		t.Errorf("%d bytes a fragment", each)
	}
}

func TestFragments_ImpossibleOnesAreRefused(t *testing.T) {
	good := recordings.Fragment{Start: noon, Duration: time.Second, Offset: 900, Bytes: 500, VideoBytes: 400, Frames: 25}
	for name, change := range map[string]func(f *recordings.Fragment){
		"before 1970":           func(f *recordings.Fragment) { f.Start = -1 },
		"negative duration":     func(f *recordings.Fragment) { f.Duration = -time.Microsecond },
		"part of a microsecond": func(f *recordings.Fragment) { f.Duration = 1500 },
		"more video than all":   func(f *recordings.Fragment) { f.VideoBytes = f.Bytes + 1 },
		"negative offset":       func(f *recordings.Fragment) { f.Offset = -1 },
		"negative frames":       func(f *recordings.Fragment) { f.Frames = -1 },
	} {
		f := good
		change(&f)
		if _, err := encodeFragments(noon, []recordings.Fragment{f}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := encodeFragments(noon, make([]recordings.Fragment, maxFragments+1)); err == nil {
		t.Error("too many: no error")
	}
}

func TestFragments_DamagedBytesAreAnError(t *testing.T) {
	data := must(encodeFragments(noon, typical(noon, 20)))(t)
	for i := range data {
		if _, err := decodeFragments(noon, data[:i]); i > 0 && !errors.Is(err, errFragments) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
	}
	if _, err := decodeFragments(noon, append(data, 0)); !errors.Is(err, errFragments) {
		t.Errorf("a byte too many: %v", err)
	}
	for _, count := range []uint64{50_000, 1 << 40} {
		bomb := append(binary.AppendUvarint([]byte{fragmentsVersion}, count), make([]byte, 50)...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decodeFragments(noon, bomb)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, errFragments) || took > 100_000 {
			t.Errorf("%d fragments in 50 bytes took %d bytes: %v", count, took, err)
		}
	}
}

func FuzzFragments(f *testing.F) {
	for _, fragments := range fragmentLists() {
		data, err := encodeFragments(noon, fragments)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(int64(noon), data)
	}
	f.Add(int64(0), []byte{fragmentsVersion, 1, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, start int64, data []byte) {
		if start < 0 || start > maxTime {
			return // no segment begins there
		}
		fragments, err := decodeFragments(recordings.Time(start), data)
		if err != nil {
			return
		}
		if len(fragments)*minFragmentBytes > len(data) {
			t.Fatalf("%d fragments out of %d bytes", len(fragments), len(data))
		}
		again, err := encodeFragments(recordings.Time(start), fragments)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		back, err := decodeFragments(recordings.Time(start), again)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(fragments, back) {
			t.Fatal("they come back otherwise")
		}
	})
}
