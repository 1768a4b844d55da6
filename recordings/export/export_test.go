package export_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/iotest"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"
	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/export"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// checkTimes compares the times of frames with those of capture, from begin on.
func checkTimes(t *testing.T, got []float64, m fmp4test.Media, begin recordings.Time, tolerance float64) {
	t.Helper()
	if len(got) != len(m.Units) {
		t.Fatalf("%d frames, not %d", len(got), len(m.Units))
	}
	for i, u := range m.Units {
		if want := recordings.Time(u.At).Sub(begin).Seconds(); math.Abs(got[i]-want) > tolerance {
			t.Fatalf("frame %d at %f, captured at %f", i, got[i], want)
		}
	}
}

func TestExport_SegmentsPlayAsOne(t *testing.T) {
	for _, sound := range []codecs.Codec{codecs.AAC, codecs.Opus, codecs.PCMU} {
		t.Run(sound.String(), func(t *testing.T) {
			s, video, audio := threeSegments(t, sound)
			e, data := s.export(t, at(0), at(6*time.Second), export.Options{Writer: "sightline test"})
			file := fmp4test.File(t, "e.mp4", data)
			fmp4test.Play(t, file)
			p := fmp4test.ProbeFile(t, file)
			checkTimes(t, times(t, p, 0), video, at(0), 0.0005)
			checkTimes(t, times(t, p, 1), during(audio, at(0), at(6*time.Second)), at(0), 0.0005)
			if d := fmp4test.Seconds(t, p.Format.Duration); math.Abs(d-6) > 0.03 {
				t.Errorf("%f s", d)
			}
			if r := e.Range(); r != (recordings.Range{From: at(0), To: at(6 * time.Second)}) || len(e.Gaps()) > 0 || e.Damaged() > 0 {
				t.Errorf("%v, gaps %v, %d damaged", r, e.Gaps(), e.Damaged())
			}
			if tags := p.Format.Tags; tags["creation_time"] != "2026-11-21T12:00:00.000000Z" || tags["title"] != "Haustür" || tags["encoder"] != "sightline test" {
				t.Errorf("%v", tags)
			}
		})
	}
}

func TestExport_BeginsWithTheKeyFrameBefore(t *testing.T) {
	s, video, audio := threeSegments(t, codecs.PCMU)
	e, data := s.export(t, at(1500*time.Millisecond), at(4500*time.Millisecond), export.Options{})
	if r := e.Range(); r != (recordings.Range{From: at(time.Second), To: at(5 * time.Second)}) {
		t.Errorf("from %v to %v", r.From, r.To)
	}
	file := fmp4test.File(t, "e.mp4", data)
	fmp4test.Play(t, file)
	p := fmp4test.ProbeFile(t, file)
	checkTimes(t, times(t, p, 0), during(video, at(time.Second), at(5*time.Second)), at(time.Second), 0.0005)
	checkTimes(t, times(t, p, 1), during(audio, at(time.Second), at(5*time.Second)), at(time.Second), 0.0005)
}

// withGap is two seconds of recording, a minute of none, and two more seconds.
func withGap(t *testing.T) (*shelf, fmp4test.Media, fmp4test.Media) {
	t.Helper()
	video, sound := pictures(t, 640, 360, 2, at(0)), fmp4test.Sound(t, codecs.PCMA, 2, noon())
	again, more := pictures(t, 640, 360, 2, at(time.Minute)), fmp4test.Sound(t, codecs.PCMA, 2, noon().Add(time.Minute))
	s := &shelf{}
	s.put(t, video, sound, at(0), at(2*time.Second))
	s.put(t, again, more, at(time.Minute), at(time.Minute+2*time.Second))
	video.Units, sound.Units = append(video.Units, again.Units...), append(sound.Units, more.Units...)
	return s, video, sound
}

func TestExport_GapsAreLeftOutOrKept(t *testing.T) {
	s, video, sound := withGap(t)
	gap := recordings.Range{From: at(2 * time.Second), To: at(time.Minute)}
	for _, keep := range []bool{false, true} {
		e, data := s.export(t, at(0), at(2*time.Minute), export.Options{KeepGaps: keep})
		if g := e.Gaps(); len(g) != 1 || g[0] != gap {
			t.Errorf("gaps %v", g)
		}
		file := fmp4test.File(t, "e.mp4", data)
		fmp4test.Play(t, file)
		p := fmp4test.ProbeFile(t, file)
		want := 62.0
		if keep {
			checkTimes(t, times(t, p, 0), video, at(0), 0.0005)
			checkTimes(t, times(t, p, 1), sound, at(0), 0.0005)
		} else {
			want = 4
			for i, got := range times(t, p, 0) {
				if math.Abs(got-float64(i)/fps) > 0.001 {
					t.Fatalf("picture %d at %f", i, got)
				}
			}
			for i, got := range times(t, p, 1) {
				if math.Abs(got-float64(i)*0.02) > 0.001 {
					t.Fatalf("sound %d at %f", i, got)
				}
			}
		}
		if d := fmp4test.Seconds(t, p.Format.Duration); math.Abs(d-want) > 0.03 {
			t.Errorf("%f s, not %f", d, want)
		}
	}
}

func TestExport_WithoutSound(t *testing.T) {
	s, video, _ := threeSegments(t, codecs.PCMU)
	_, data := s.export(t, at(0), at(time.Minute), export.Options{NoSound: true})
	file := fmp4test.File(t, "e.mp4", data)
	fmp4test.Play(t, file)
	p := fmp4test.ProbeFile(t, file)
	if len(p.Streams) != 1 {
		t.Errorf("%d streams", len(p.Streams))
	}
	checkTimes(t, times(t, p, 0), video, at(0), 0.0005)
}

func TestExport_NothingThere(t *testing.T) {
	s, _, _ := withGap(t)
	for _, r := range []recordings.Range{
		{From: at(-time.Hour), To: at(0)},
		{From: at(3 * time.Second), To: at(time.Minute)},
		{From: at(time.Hour), To: at(2 * time.Hour)},
		{From: at(time.Second), To: at(time.Second)},
	} {
		if _, err := export.New(t.Context(), s.open, s.segments, r, export.Options{}); !errors.Is(err, export.ErrNothing) {
			t.Errorf("%v: %v", r, err)
		}
	}
}

// A player that seeks, and a download that is resumed, read the same bytes.
func TestExport_EveryPartCanBeReadAlone(t *testing.T) {
	s, _, _ := threeSegments(t, codecs.PCMU)
	r := recordings.Range{From: at(0), To: at(time.Minute)}
	_, data := s.export(t, r.From, r.To, export.Options{})
	e, err := export.New(t.Context(), s.open, s.segments, r, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := iotest.TestReader(e, data); err != nil { // whose messages hold all the data
		t.Errorf("%.300s", err.Error())
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		from := random.IntN(len(data))
		b := make([]byte, min(1+random.IntN(100_000), len(data)-from))
		if _, err := e.Seek(int64(from), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(e, b); err != nil || !bytes.Equal(b, data[from:from+len(b)]) {
			t.Fatalf("%d bytes at %d are others: %v", len(b), from, err)
		}
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	request.Header.Set("Range", "bytes=100000-100999")
	response := httptest.NewRecorder()
	http.ServeContent(response, request, "e.mp4", time.Time{}, e)
	if response.Code != http.StatusPartialContent || !bytes.Equal(response.Body.Bytes(), data[100_000:101_000]) {
		t.Errorf("status %d, %d bytes", response.Code, response.Body.Len())
	}
	if err := e.Close(); err != nil || s.opened != s.closed {
		t.Errorf("opened %d times, closed %d times, %v", s.opened, s.closed, err)
	}
	if _, err := e.Seek(-1, io.SeekStart); err == nil {
		t.Error("a negative place")
	}
}

func TestExport_KeepsEveryByteAndTheTimesOfCapture(t *testing.T) {
	s, video, _ := threeSegments(t, codecs.PCMU)
	_, data := s.export(t, at(0), at(time.Minute), export.Options{})
	units, captured, last := video.Units, 0, uint32(0)
	for at, r := uint64(0), bytes.NewReader(data); r.Len() > 0; {
		box, err := mp4.DecodeBox(at, r)
		if err != nil {
			t.Fatal(err)
		}
		at += box.Size()
		switch b := box.(type) {
		case *mp4.PrftBox:
			if want := uint64(units[0].At/1e6+2_208_988_800) << 32; uint64(b.NTPTimestamp) != want || b.ReferenceTrackID != 1 {
				t.Errorf("captured at %#x, not %#x", b.NTPTimestamp, want)
			}
			captured++
		case *mp4.MoofBox:
			if b.Mfhd.SequenceNumber <= last {
				t.Errorf("moof %d after %d", b.Mfhd.SequenceNumber, last)
			}
			last = b.Mfhd.SequenceNumber
		case *mp4.MdatBox:
			if last%2 == 0 {
				continue // sound
			}
			for rest := b.Data; len(rest) > 0; units = units[1:] {
				for _, n := range units[0].Payload {
					if !bytes.HasPrefix(rest[4:], n) {
						t.Fatal("another NAL unit")
					}
					rest = rest[4+len(n):]
				}
			}
		case *mp4.FtypBox, *mp4.MoovBox, *mp4.SidxBox:
		default:
			t.Errorf("box %s", box.Type())
		}
	}
	if len(units) > 0 || captured != 6 {
		t.Errorf("%d units are missing, %d times of capture", len(units), captured)
	}
}

func TestExport_DamageLeavesOutAFragment(t *testing.T) {
	s, _, _ := threeSegments(t, codecs.PCMU)
	ref, f := s.segments[1].Ref, s.segments[1].Fragments[1]
	_, whole := s.export(t, at(0), at(time.Minute), export.Options{})
	s.data[ref] = bytes.Clone(s.data[ref])
	s.data[ref][f.Offset+218] ^= 0x40 // the number of samples, in the last fragment of its segment
	e, data := s.export(t, at(0), at(time.Minute), export.Options{})
	if e.Damaged() != 1 || len(data) != len(whole) {
		t.Errorf("%d damaged, %d bytes of %d", e.Damaged(), len(data), len(whole))
	}
	file := fmp4test.File(t, "e.mp4", data)
	fmp4test.Play(t, file)
	if n := len(times(t, fmp4test.ProbeFile(t, file), 0)); n != 5*fps {
		t.Errorf("%d pictures", n)
	}
	s.data[ref][50] ^= 0xff
	e, data = s.export(t, at(0), at(time.Minute), export.Options{})
	if g := e.Gaps(); e.Damaged() != 2 || len(g) != 1 || g[0] != (recordings.Range{From: at(2 * time.Second), To: at(4 * time.Second)}) {
		t.Errorf("%d damaged, gaps %v", e.Damaged(), g)
	}
	fmp4test.Play(t, fmp4test.File(t, "e.mp4", data))
}

// A file that ends too early costs what is missing and nothing else, whether that is
// known when the export is laid out or turns out later.
func TestExport_TruncatedSegmentLosesOnlyItsEnd(t *testing.T) {
	s, _, _ := threeSegments(t, codecs.PCMU)
	ref, f := s.segments[1].Ref, s.segments[1].Fragments
	all := recordings.Range{From: at(0), To: at(time.Minute)}
	whole := s.data[ref]
	s.data[ref] = whole[:f[1].Offset+f[1].Bytes-1]
	e, data := s.export(t, all.From, all.To, export.Options{})
	if g := e.Gaps(); e.Damaged() != 1 || len(g) != 1 || g[0] != (recordings.Range{From: at(3 * time.Second), To: at(4 * time.Second)}) {
		t.Errorf("%d damaged, gaps %v", e.Damaged(), g)
	}
	file := fmp4test.File(t, "e.mp4", data)
	fmp4test.Play(t, file)
	if n := len(times(t, fmp4test.ProbeFile(t, file), 0)); n != 5*fps {
		t.Errorf("%d pictures", n)
	}
	s.data[ref] = whole[:20] // not even its beginning
	if e, _ = s.export(t, all.From, all.To, export.Options{}); e.Damaged() != 2 || len(e.Gaps()) != 1 {
		t.Errorf("%d damaged, gaps %v", e.Damaged(), e.Gaps())
	}
	s.data[ref] = whole
	e, err := export.New(t.Context(), s.open, s.segments, all, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.data[ref] = whole[:f[1].Offset+f[1].Bytes/2]
	if data, err = io.ReadAll(e); err != nil || int64(len(data)) != e.Size() || e.Damaged() != 1 {
		t.Errorf("%d of %d bytes, %d damaged: %v", len(data), e.Size(), e.Damaged(), err)
	}
	if l := e.Lost(); len(l) != 1 || l[0] != (recordings.Range{From: at(3 * time.Second), To: at(4 * time.Second)}) {
		t.Errorf("lost %v", l)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	fmp4test.Play(t, fmp4test.File(t, "e.mp4", data))
}

func TestExport_SaysWhatItCannotRead(t *testing.T) {
	s, _, _ := threeSegments(t, codecs.PCMU)
	all := recordings.Range{From: at(0), To: at(time.Minute)}
	short := s.segments[2].Ref
	delete(s.data, short)
	if _, err := export.New(t.Context(), s.open, s.segments, all, export.Options{}); err == nil {
		t.Error("a segment that is gone")
	}
	s, _, _ = threeSegments(t, codecs.PCMU)
	ctx, cancel := context.WithCancel(t.Context())
	e, err := export.New(ctx, s.open, s.segments, all, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	delete(s.data, short) // retention
	if _, err := io.Copy(io.Discard, e); err == nil {
		t.Error("a segment went meanwhile")
	}
	cancel()
	if _, err := e.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, e); !errors.Is(err, context.Canceled) {
		t.Errorf("read after the end of the context: %v", err)
	}
	if err := e.Close(); err != nil || s.opened != s.closed {
		t.Errorf("opened %d times, closed %d times, %v", s.opened, s.closed, err)
	}
}
