package fmp4_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// randomSound returns a track of sound, or none.
func randomSound(r *rand.Rand) *codecs.Track {
	switch r.IntN(4) {
	case 0:
		return &codecs.Track{Codec: codecs.PCMU, ClockRate: 8000, Channels: 1}
	case 1:
		return &codecs.Track{Codec: codecs.Opus, ClockRate: 48000, Channels: 2}
	case 2:
		return &codecs.Track{Codec: codecs.AAC, ClockRate: 16000, Channels: 1, AudioConfig: []byte{0x14, 0x08}}
	}
	return nil
}

// randomVideo makes n units whose times jitter and whose order is that of B-frames,
// if any; the clock is off by a few per cent, as while it is slewed.
func randomVideo(r *rand.Rand, n int, at int64) (units []*codecs.Unit) {
	pts := r.Int64N(1<<41) - 1<<40
	group := 1 + r.IntN(4)*r.IntN(2)
	slew := 950 + r.Int64N(100)
	for i := range n {
		var payload [][]byte
		for range r.IntN(4) + 1 {
			b := make([]byte, r.IntN(200))
			for k := range b {
				b[k] = byte(r.Uint32())
			}
			payload = append(payload, b)
		}
		units = append(units, &codecs.Unit{
			PTS: pts, At: at, Key: i == 0 || r.IntN(10) == 0, Discardable: r.IntN(5) == 0, Payload: payload,
		})
		step := 3600 + r.Int64N(1+1000*r.Int64N(2))
		pts += step
		at += step*100/9*slew/1000 + r.Int64N(3)
	}
	for i := 1; i+group <= n; i += group { // the last of a group is sent first
		g := units[i : i+group]
		last := *g[group-1]
		for k := group - 1; k > 0; k-- {
			g[k].PTS, g[k].At = g[k-1].PTS, g[k-1].At
		}
		g[0].PTS, g[0].At = last.PTS, last.At
	}
	return units
}

// randomAudio makes units from a time on, with jitter, holes and overlaps.
func randomAudio(r *rand.Rand, t *codecs.Track, from, to int64) (units []*codecs.Unit) {
	if t == nil {
		return nil
	}
	pts := r.Int64N(1 << 40)
	jitter := 1 + r.Int64N(40)*r.Int64N(2)
	for at := from; at < to; {
		b := make([]byte, 1+r.IntN(200))
		b[0] = 0x08 // Opus: one frame of 20 ms
		units = append(units, &codecs.Unit{Track: 1, PTS: pts, At: at, Key: true, Payload: [][]byte{b}})
		step := int64(t.ClockRate/50) + r.Int64N(jitter)
		if r.IntN(30) == 0 {
			step *= r.Int64N(20)
		}
		pts += step
		at += step * 1_000_000 / int64(t.ClockRate)
	}
	return units
}

// relative returns copies of units with PTS less a base, as Units gives them.
func relative(units []*codecs.Unit, base int64) (out []codecs.Unit) {
	for _, u := range units {
		c := *u
		c.PTS -= base
		out = append(out, c)
	}
	return out
}

// asBytes compares payloads without looking at each byte by reflection.
func asBytes() cmp.Option { return cmp.Comparer(bytes.Equal) }

func values(units []*codecs.Unit) []codecs.Unit { return relative(units, 0) }

// cutAll writes units into fragments of random lengths, and returns the bytes and
// what was said about them. No fragment ends inside a group of B-frames' times.
func cutAll(t *testing.T, r *rand.Rand, m *fmp4.Muxer, video, audio []*codecs.Unit) (data []byte, fragments []recordings.Fragment) {
	t.Helper()
	data = append(data, m.Init()...)
	for len(video) > 0 {
		n := min(1+r.IntN(30), len(video))
		var end recordings.Time
		if n < len(video) {
			end = recordings.Time(max(video[n].At, video[0].At+1))
		}
		k := 0
		for k < len(audio) && (end == 0 || audio[k].At < int64(end)) {
			k++
		}
		at := int64(len(data))
		var f recordings.Fragment
		var err error
		if data, f, err = m.AppendFragment(data, video[:n], audio[:k], end); err != nil {
			t.Fatal(err)
		}
		if f.Bytes != int64(len(data))-at || f.Frames != n || f.Key != video[0].Key {
			t.Fatalf("%+v of %d frames and %d bytes", f, n, int64(len(data))-at)
		}
		f.Offset = at
		fragments = append(fragments, f)
		video, audio = video[n:], audio[k:]
	}
	return data, fragments
}

func TestUnits_GiveBackWhatWentIn(t *testing.T) {
	videoTrack := small(t, 1).Track
	for seed := range uint64(80) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			audioTrack := randomSound(r)
			m, err := fmp4.NewMuxer(header(), videoTrack, audioTrack)
			if err != nil {
				t.Fatal(err)
			}
			begin := noon().UnixMicro()
			video := randomVideo(r, 1+r.IntN(150), begin)
			// Before, in the middle, and after the video's time.
			audio := randomAudio(r, audioTrack, begin-100_000+r.Int64N(2_000_000), video[len(video)-1].At+r.Int64N(500_000))
			data, want := cutAll(t, r, m, video, audio)

			checkStructure(t, data)
			if diff := cmp.Diff(want, scan(t, data)); diff != "" {
				t.Errorf("scanned otherwise: %s", diff)
			}
			for i := 1; i < len(want); i++ {
				if want[i].Start != want[i-1].End() {
					t.Errorf("fragment %d begins at %v, the one before ends at %v", i, want[i].Start, want[i-1].End())
				}
			}
			f := open(t, data)
			if f.Ref != header().Ref || f.Format != m.Format() || !cmp.Equal(f.Video, videoTrack) || !cmp.Equal(f.Audio, audioTrack) {
				t.Errorf("%+v, %+v, %+v, %+v", f.Header, f.Format, f.Video, f.Audio)
			}
			gotVideo, gotAudio := readBack(t, data)
			first := slices.MinFunc(video[:want[0].Frames], func(a, b *codecs.Unit) int { return int(a.PTS - b.PTS) })
			if diff := cmp.Diff(relative(video, first.PTS), values(gotVideo), asBytes()); diff != "" {
				t.Errorf("other video: %s", diff)
			}
			early := len(audio) - len(gotAudio)
			for _, u := range audio[:early] {
				if u.At >= begin {
					t.Errorf("sound of %v is missing", recordings.Time(u.At))
				}
			}
			if audio = audio[early:]; len(audio) > 0 {
				if diff := cmp.Diff(relative(audio, audio[0].PTS-gotAudio[0].PTS), values(gotAudio), asBytes()); diff != "" {
					t.Errorf("other sound: %s", diff)
				}
			}
		})
	}
}

func TestUnits_TimesOfCaptureSurviveAnything(t *testing.T) {
	video := small(t, 30)
	for i, u := range video.Units {
		u.At += int64(i*i%7) * 1_000_003 // nothing that a clock would do
	}
	m, err := fmp4.NewMuxer(header(), video.Track, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := m.AppendFragment(slices.Clone(m.Init()), video.Units, nil, recordings.TimeOf(noon().Add(time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := readBack(t, data)
	for i, u := range got {
		if u.At != video.Units[i].At {
			t.Errorf("unit %d: captured at %d, not %d", i, u.At, video.Units[i].At)
		}
	}
}
