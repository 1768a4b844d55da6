package fmp4_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// talking is a segment of 4 fragments, 20 pictures, with sound.
func talking(tb testing.TB) fmp4test.Segment {
	tb.Helper()
	video := fmp4test.Pictures(tb, testpattern.Options{Width: 640, Height: 360, FPS: 10, GOP: time.Second / 2}, 20, noon())
	return fmp4test.Write(tb, header(), video, fmp4test.Sound(tb, codecs.PCMU, 2, noon()), time.Second, recordings.TimeOf(noon().Add(2*time.Second)))
}

// count scans what is there of a segment.
func count(tb testing.TB, data []byte, verify bool) (n int, good int64, err error) {
	tb.Helper()
	good, err = open(tb, data).Scan(0, verify, func(recordings.Fragment) bool {
		n++
		return true
	})
	return n, good, err
}

func TestScan_CutAnywhereFindsTheLastWholeFragment(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	video := fmp4test.Media{Track: small(t, 1).Track, Units: randomVideo(r, 40, noon().UnixMicro())}
	s := fmp4test.Write(t, header(), video, none(), 400*time.Millisecond, 0)
	if len(s.Fragments) < 4 {
		t.Fatalf("%d fragments", len(s.Fragments))
	}
	for size := range s.InitBytes {
		if _, err := fmp4.Open(bytes.NewReader(s.Data[:size]), size); !errors.Is(err, fmp4.ErrMalformed) {
			t.Fatalf("cut at %d: %v", size, err)
		}
	}
	whole, end := 0, s.InitBytes
	for size := s.InitBytes; size <= s.Bytes; size++ {
		if whole < len(s.Fragments) && s.Fragments[whole].Offset+s.Fragments[whole].Bytes == size {
			whole, end = whole+1, size
		}
		n, good, err := count(t, s.Data[:size], size%16 == 0)
		if n != whole || good != end || (err == nil) != (size == end) || err != nil && !errors.Is(err, fmp4.ErrTorn) {
			t.Fatalf("cut at %d: %d fragments to %d, %v; want %d to %d", size, n, good, err, whole, end)
		}
	}
}

func TestScan_TruncatedFilePlays(t *testing.T) {
	s := talking(t)
	r := rand.New(rand.NewPCG(1, 1))
	for range 4 {
		size := s.Fragments[0].Bytes + s.InitBytes + r.Int64N(s.Bytes-s.InitBytes-s.Fragments[0].Bytes)
		_, good, _ := count(t, s.Data[:size], true)
		fmp4test.Play(t, fmp4test.File(t, "cut.mp4", s.Data[:good]))
	}
}

func TestScan_VerifyFindsEveryFlippedBit(t *testing.T) {
	s := talking(t)
	r := rand.New(rand.NewPCG(2, 1))
	flip := func(at, bit int64) bool {
		data := bytes.Clone(s.Data)
		data[at] ^= 1 << bit
		f, err := fmp4.Open(bytes.NewReader(data), int64(len(data)))
		if at < s.InitBytes {
			return errors.Is(err, fmp4.ErrMalformed) || err == nil && f.Damaged
		}
		if err != nil {
			t.Fatal(err)
		}
		good, err := f.Scan(0, true, func(f recordings.Fragment) bool { return true })
		if !errors.Is(err, fmp4.ErrTorn) || good > at {
			return false
		}
		next, err := f.Next(good + 1)
		last := s.Fragments[len(s.Fragments)-1].Offset
		if good == last {
			return errors.Is(err, io.EOF)
		}
		return err == nil && next > at && next <= at+s.Bytes/2
	}
	for at := range s.InitBytes + fmp4.CheckBytes + 100 { // all of what is small
		if !flip(at, r.Int64N(8)) {
			t.Errorf("a flip at %d of %d is not found", at, s.Bytes)
		}
	}
	for range 300 {
		if at := r.Int64N(s.Bytes); !flip(at, r.Int64N(8)) {
			t.Errorf("a flip at %d of %d is not found", at, s.Bytes)
		}
	}
}

func TestScan_ReadsOnBehindDamage(t *testing.T) {
	s := talking(t)
	data := bytes.Clone(s.Data)
	data[s.Fragments[1].Offset+1000] ^= 4
	f := open(t, data)
	var got []recordings.Time
	yield := func(f recordings.Fragment) bool {
		got = append(got, f.Start)
		return true
	}
	good, err := f.Scan(0, true, yield)
	if good != s.Fragments[1].Offset || !errors.Is(err, fmp4.ErrTorn) {
		t.Fatalf("scanned to %d: %v", good, err)
	}
	next, err := f.Next(good + 1)
	if next != s.Fragments[2].Offset || err != nil {
		t.Fatalf("next at %d, not %d: %v", next, s.Fragments[2].Offset, err)
	}
	if _, err := f.Scan(next, true, yield); err != nil || len(got) != 3 {
		t.Errorf("%d fragments, %v", len(got), err)
	}
}

func TestScan_RefusesWhatBelongsElsewhere(t *testing.T) {
	s := talking(t)
	other := header()
	other.Start--
	video := small(t, 14)
	stranger := fmp4test.Write(t, other, video, none(), time.Second, 0)
	piece := func(s fmp4test.Segment, i int) []byte { return s.Data[s.Fragments[i].Offset:][:s.Fragments[i].Bytes] }
	for name, tt := range map[string]struct {
		pieces [][]byte
		want   int
	}{
		"of another segment":           {[][]byte{piece(s, 0), piece(stranger, 1)}, 1},
		"of another segment, as first": {[][]byte{piece(stranger, 0)}, 0},
		"one left out":                 {[][]byte{piece(s, 0), piece(s, 2)}, 1},
		"the first left out":           {[][]byte{piece(s, 1)}, 0},
		"one twice":                    {[][]byte{piece(s, 0), piece(s, 0)}, 1},
		"in another order":             {[][]byte{piece(s, 0), piece(s, 2), piece(s, 1)}, 1},
		"zeros":                        {[][]byte{piece(s, 0), make([]byte, 4096)}, 1},
	} {
		data := bytes.Clone(s.Data[:s.InitBytes])
		for _, p := range tt.pieces {
			data = append(data, p...)
		}
		if n, _, err := count(t, data, false); n != tt.want || !errors.Is(err, fmp4.ErrTorn) {
			t.Errorf("%s: %d fragments, %v", name, n, err)
		}
	}
}

// failing is a reader that fails from an offset on.
type failing struct {
	io.ReaderAt
	from int64
	err  error
}

func (f failing) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > f.from {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, at)
}

func TestScan_TellsAFailingDiskFromATornFile(t *testing.T) {
	s := talking(t)
	bad := errors.New("bad sector")
	f, err := fmp4.Open(failing{bytes.NewReader(s.Data), s.Fragments[1].Offset + 10, bad}, s.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	good, err := f.Scan(0, false, func(recordings.Fragment) bool { return true })
	if good != s.Fragments[1].Offset || !errors.Is(err, bad) || errors.Is(err, fmp4.ErrTorn) {
		t.Errorf("scanned to %d: %v", good, err)
	}
	if _, err := fmp4.Open(failing{bytes.NewReader(s.Data), 100, bad}, s.Bytes); !errors.Is(err, bad) || errors.Is(err, fmp4.ErrMalformed) {
		t.Errorf("opened: %v", err)
	}
}

func TestScan_StopsWhenTold(t *testing.T) {
	s := talking(t)
	good, err := open(t, s.Data).Scan(s.Fragments[1].Offset, false, func(f recordings.Fragment) bool { return f.Offset != s.Fragments[2].Offset })
	if good != s.Fragments[3].Offset || err != nil {
		t.Errorf("scanned to %d of %d: %v", good, s.Fragments[3].Offset, err)
	}
}

func TestOpen_HostileSizesCostNoMemory(t *testing.T) {
	s := talking(t)
	// Every number of four bytes in turn becomes as large as can be.
	try := func(at int64, read func(data []byte)) {
		data := bytes.Clone(s.Data[:s.InitBytes+s.Fragments[0].Bytes])
		copy(data[at:], "\xff\xff\xff\xff")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		read(data)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 2*fmp4.MaxInitBytes {
			t.Errorf("a number at %d costs %d bytes", at, n)
		}
	}
	for at := int64(0); at < s.InitBytes; at++ {
		try(at, func(data []byte) {
			if f, err := fmp4.Open(bytes.NewReader(data), 1<<40); err == nil {
				_, _ = f.Scan(0, true, func(recordings.Fragment) bool { return true })
			}
		})
	}
	f := open(t, s.Data)
	for at := range int64(1000) {
		try(s.InitBytes+at, func(data []byte) { _, _, _ = f.Units(data[s.InitBytes:]) })
	}
}
