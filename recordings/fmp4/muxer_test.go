package fmp4_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

func TestMuxer_RefusesWhatDoesNotFollow(t *testing.T) {
	video := small(t, 4)
	begin := recordings.TimeOf(noon())
	for name, tt := range map[string]struct {
		change func(u *codecs.Unit)
		end    recordings.Time
		cut    bool // a new segment would help
	}{
		"a step of At forward":  {func(u *codecs.Unit) { u.At += 11_000_000 }, 0, true},
		"a step of At back":     {func(u *codecs.Unit) { u.At -= 11_000_000 }, 0, true},
		"a step of PTS forward": {func(u *codecs.Unit) { u.PTS += 1 << 42 }, 0, true},
		"a step of PTS back":    {func(u *codecs.Unit) { u.PTS -= 1 << 42 }, 0, true},
		"an end before it":      {func(*codecs.Unit) {}, begin - 2_000_000, true},
		"too many NAL units":    {func(u *codecs.Unit) { u.Payload = make([][]byte, 20_000) }, 0, false},
	} {
		m, err := fmp4.NewMuxer(header(), video.Track, nil)
		if err != nil {
			t.Fatal(err)
		}
		data, f, err := m.AppendFragment(nil, video.Units[:2], nil, recordings.Time(video.Units[2].At))
		if err != nil {
			t.Fatal(err)
		}
		u := *video.Units[2]
		tt.change(&u)
		before := bytes.Clone(data)
		data, _, err = m.AppendFragment(data, []*codecs.Unit{&u}, nil, tt.end)
		if err == nil || errors.Is(err, fmp4.ErrDiscontinuity) != tt.cut || !bytes.Equal(data, before) {
			t.Errorf("%s: %v, %d bytes more", name, err, len(data)-len(before))
		}
		// As if that had not been tried.
		_, next, err := m.AppendFragment(nil, video.Units[2:], nil, 0)
		if err != nil || next.Start != f.End() || next.MediaStart != 7200 {
			t.Errorf("%s: then %+v, %v", name, next, err)
		}
	}
}

func TestMuxer_RefusesAnEmptyFragment(t *testing.T) {
	m, err := fmp4.NewMuxer(header(), small(t, 1).Track, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.AppendFragment(nil, nil, nil, 0); err == nil {
		t.Error("a fragment without a picture")
	}
}

func TestNewMuxer_NeedsParameterSets(t *testing.T) {
	track := small(t, 1).Track
	for name, change := range map[string]func(*codecs.Track){
		"no SPS":           func(t *codecs.Track) { t.SPS = nil },
		"no PPS":           func(t *codecs.Track) { t.PPS = nil },
		"a broken SPS":     func(t *codecs.Track) { t.SPS = []byte{0x67} },
		"a long one":       func(t *codecs.Track) { t.PPS = make([]byte, 1<<16) },
		"sound":            func(t *codecs.Track) { t.Codec = codecs.Opus },
		"another clock":    func(t *codecs.Track) { t.ClockRate = 1000 },
		"H.265 with those": func(t *codecs.Track) { t.Codec = codecs.H265 },
	} {
		tr := track
		change(&tr)
		if _, err := fmp4.NewMuxer(header(), tr, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestHeader_ComesBack(t *testing.T) {
	h := header()
	h.Generation, h.Origin, h.Before, h.Signed = 3, recordings.Backfill, recordings.DiskSlow, true
	h.ClockOffset = 1500 * time.Microsecond
	h.CameraName = "Tür \"<\u2028"
	for i := range recordings.Time(fmp4.MaxGaps) {
		h.Gaps = append(h.Gaps, recordings.Gap{Stream: h.Stream, Range: recordings.Range{From: i, To: i + 1}, Cause: recordings.Paused})
	}
	video := small(t, 5)
	f := open(t, fmp4test.Write(t, h, video, none(), time.Second, 0).Data)
	if diff := cmp.Diff(h, f.Header); diff != "" || !f.Format.Signed || f.Damaged {
		t.Errorf("signed %v, damaged %v, %s", f.Format.Signed, f.Damaged, diff)
	}
	h.Gaps = append(h.Gaps, h.Gaps[0])
	if _, err := fmp4.NewMuxer(h, video.Track, nil); err == nil {
		t.Error("one gap too many was accepted")
	}
}

func TestHeader_LongTextsAreCut(t *testing.T) {
	h := header()
	h.CameraName, h.Writer = strings.Repeat("ü", 150), strings.Repeat("x", 150)+"\xff"
	f := open(t, fmp4test.Write(t, h, small(t, 1), none(), time.Second, 0).Data)
	if f.CameraName != strings.Repeat("ü", 100) || f.Writer != strings.Repeat("x", 100) {
		t.Errorf("%q, %q", f.CameraName, f.Writer)
	}
}

func TestVideoInit_PlaysWithoutTheSound(t *testing.T) {
	s := talking(t)
	data, err := fmp4.VideoInit(s.Data[:s.InitBytes])
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Fragments {
		data = append(data, s.Data[f.Offset:][:f.VideoBytes]...)
	}
	file := fmp4test.File(t, "v.mp4", data)
	fmp4test.Play(t, file)
	if p := fmp4test.ProbeFile(t, file); len(p.Streams) != 1 || len(p.Packets) != 20 {
		t.Errorf("%d streams, %d frames", len(p.Streams), len(p.Packets))
	}
	again, err := fmp4.VideoInit(data[:len(data)-int(sum(s.Fragments))])
	if err != nil || !bytes.Equal(again, data[:len(again)]) {
		t.Errorf("once more: %v", err)
	}
	for _, bad := range [][]byte{nil, s.Data[:100], make([]byte, 100)} {
		if _, err := fmp4.VideoInit(bad); !errors.Is(err, fmp4.ErrMalformed) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

// sum returns how many bytes of fragments are video.
func sum(fragments []recordings.Fragment) (n int64) {
	for _, f := range fragments {
		n += f.VideoBytes
	}
	return n
}
