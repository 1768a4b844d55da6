package fmp4_test

import (
	"math"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// beep returns seconds of PCMU that begin at a time.
func beep(tb testing.TB, seconds int, at time.Time) fmp4test.Media {
	tb.Helper()
	return fmp4test.Sound(tb, codecs.PCMU, seconds, at)
}

// soundTimes returns where ffprobe places the frames of sound.
func soundTimes(tb testing.TB, data []byte) (at []float64) {
	tb.Helper()
	for _, p := range fmp4test.ProbeFile(tb, fmp4test.File(tb, "s.mp4", data)).Packets {
		if p.Stream == 1 {
			at = append(at, fmp4test.Seconds(tb, p.PTS))
		}
	}
	return at
}

func TestMuxer_SoundFromBeforeTheSegmentIsLeftOut(t *testing.T) {
	s := fmp4test.Write(t, header(), small(t, 50), beep(t, 2, noon().Add(-505*time.Millisecond)), time.Second, 0)
	at := soundTimes(t, s.Data)
	if len(at) != 74 || math.Abs(at[0]-0.015) > 0.001 { // the first 26 frames of 20 ms
		t.Errorf("%d frames from %f on", len(at), at[0])
	}
	fmp4test.Play(t, fmp4test.File(t, "s.mp4", s.Data))
}

func TestMuxer_SoundMayBeginInTheMiddle(t *testing.T) {
	s := fmp4test.Write(t, header(), small(t, 75), beep(t, 1, noon().Add(1200*time.Millisecond)), time.Second, 0)
	at := soundTimes(t, s.Data)
	if len(at) != 50 || math.Abs(at[0]-1.2) > 0.001 || math.Abs(at[49]-2.18) > 0.001 {
		t.Errorf("%d frames from %f to %f", len(at), at[0], at[len(at)-1])
	}
	for i, f := range s.Fragments {
		if sound := f.Bytes > f.VideoBytes; sound != (i >= 2 && i <= 4) { // each of half a second
			t.Errorf("fragment %d: %d bytes, %d of them video", i, f.Bytes, f.VideoBytes)
		}
	}
	fmp4test.Play(t, fmp4test.File(t, "s.mp4", s.Data))
}

func TestMuxer_SegmentWithoutAnySoundPlays(t *testing.T) {
	sound := beep(t, 1, noon().Add(-10*time.Second)) // all of it too early
	s := fmp4test.Write(t, header(), small(t, 50), sound, time.Second, 0)
	if s.Format.Audio != "ulaw" || s.Fragments[0].Bytes != s.Fragments[0].VideoBytes {
		t.Errorf("%+v", s.Format)
	}
	fmp4test.Play(t, fmp4test.File(t, "s.mp4", s.Data))
}

// While the recording's clock is slewed the camera's differs from it by up to 5 %.
// What was captured together has to be heard together all the same.
func TestMuxer_SoundStaysInStepWhileTheClockIsSlewed(t *testing.T) {
	video, sound := small(t, 150), beep(t, 3, noon().Add(3*time.Second))
	begin := noon().UnixMicro()
	for _, list := range [][]*codecs.Unit{video.Units, sound.Units} {
		for _, u := range list {
			u.At = begin + (u.At-begin)*105/100
		}
	}
	s := fmp4test.Write(t, header(), video, sound, time.Second, 0)
	at := soundTimes(t, s.Data)
	for i, got := range at { // the picture's time is the camera's
		if want := 3 + float64(i)*0.02; math.Abs(got-want) > 0.001 {
			t.Fatalf("frame %d of sound at %f, not %f", i, got, want)
		}
	}
}

// A camera whose sound has another idea of time than its pictures.
func TestMuxer_SoundThatDriftsIsBroughtBack(t *testing.T) {
	video := small(t, 150)
	for _, percent := range []int64{90, 110} {
		sound := beep(t, 5, noon())
		for _, u := range sound.Units {
			u.PTS = u.PTS * percent / 100
		}
		s := fmp4test.Write(t, header(), video, sound, time.Second, 0)
		at := soundTimes(t, s.Data)
		for i, got := range at {
			if want := float64(i) * 0.02; math.Abs(got-want) > 0.2 {
				t.Fatalf("%d %%: frame %d of sound at %f, not %f", percent, i, got, want)
			}
		}
		checkStructure(t, s.Data)
		_, audio := readBack(t, s.Data)
		for i, u := range audio {
			if want := sound.Units[i]; u.PTS != want.PTS-sound.Units[0].PTS || u.At != want.At {
				t.Fatalf("frame %d came back with other times", i)
			}
		}
		fmp4test.Play(t, fmp4test.File(t, "s.mp4", s.Data))
	}
}

func TestMuxer_JitterOfSoundIsNotHeard(t *testing.T) {
	sound := beep(t, 2, noon())
	for i, u := range sound.Units {
		u.PTS += int64(i * 7 % 31)
	}
	s := fmp4test.Write(t, header(), small(t, 50), sound, time.Second, 0)
	at := soundTimes(t, s.Data)
	for i := 1; i < len(at); i++ {
		if d := at[i] - at[i-1]; math.Abs(d-0.02) > 0.00001 {
			t.Errorf("%f s from frame %d to the next", d, i-1)
		}
	}
}

func TestMuxer_HoleInTheSoundStaysOne(t *testing.T) {
	sound := beep(t, 3, noon())
	sound.Units = append(sound.Units[:20:20], sound.Units[70:]...)
	s := fmp4test.Write(t, header(), small(t, 75), sound, 5*time.Second, 0)
	at := soundTimes(t, s.Data)
	if math.Abs(at[19]-0.38) > 0.001 || math.Abs(at[20]-1.4) > 0.001 {
		t.Errorf("a hole from %f to %f", at[19], at[20])
	}
	fmp4test.Play(t, fmp4test.File(t, "s.mp4", s.Data))
}

func TestNewMuxer_SoundThatMP4CannotHoldIsLeftOut(t *testing.T) {
	video := small(t, 1)
	for name, track := range map[string]codecs.Track{
		"unknown":                {ClockRate: 8000, Channels: 1},
		"AAC without a config":   {Codec: codecs.AAC, ClockRate: 16000, Channels: 1},
		"AAC with a broken one":  {Codec: codecs.AAC, ClockRate: 16000, Channels: 1, AudioConfig: []byte{0xff}},
		"Opus of many channels":  {Codec: codecs.Opus, ClockRate: 48000, Channels: 6},
		"Opus of another clock":  {Codec: codecs.Opus, ClockRate: 8000, Channels: 1},
		"PCMU without a channel": {Codec: codecs.PCMU, ClockRate: 8000},
	} {
		m, err := fmp4.NewMuxer(header(), video.Track, &track)
		if err != nil || m.Format().Audio != "" {
			t.Errorf("%s: %+v, %v", name, m.Format(), err)
			continue
		}
		data, f, err := m.AppendFragment(nil, video.Units, beep(t, 1, noon()).Units, recordings.TimeOf(noon().Add(time.Second)))
		if err != nil || f.Bytes != f.VideoBytes || int64(len(data)) != f.Bytes {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}
