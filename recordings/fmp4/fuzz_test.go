package fmp4_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// tiny returns small segments of all kinds.
func tiny(tb testing.TB) (all []fmp4test.Segment) {
	tb.Helper()
	r := rand.New(rand.NewPCG(4, 1))
	h265 := codecs.Track{
		Codec: codecs.H265, ClockRate: 90_000,
		VPS: []byte("\x40\x01\x0c\x01\xff\xff\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x78\x99\x98\x09"),
		SPS: []byte("\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x78\xa0\x03\xc0\x80\x10\xe5\x96\x66\x69\x24\xca\xe0\x10\x00\x00\x03\x00\x10\x00\x00\x03\x01\xe0\x80"),
		PPS: []byte("\x44\x01\xc1\x72\xb4\x62\x40"),
	}
	h264 := small(tb, 1).Track
	sounds := []*codecs.Track{
		nil,
		{Codec: codecs.AAC, ClockRate: 16000, Channels: 1, AudioConfig: []byte{0x14, 0x08}},
		{Codec: codecs.Opus, ClockRate: 48000, Channels: 2},
		{Codec: codecs.PCMA, ClockRate: 8000, Channels: 1},
	}
	for i, track := range sounds {
		video := fmp4test.Media{Track: h264, Units: randomVideo(r, 6, noon().UnixMicro())}
		if i%2 == 1 {
			video.Track = h265
		}
		sound := none()
		if track != nil {
			sound = fmp4test.Media{Track: *track, Units: randomAudio(r, track, noon().UnixMicro(), noon().UnixMicro()+200_000)}
		}
		h := header()
		h.Gaps = []recordings.Gap{{Stream: h.Stream, Range: recordings.Range{From: 1, To: 2}, Cause: recordings.Crash}}
		all = append(all, fmp4test.Write(tb, h, video, sound, 100*time.Millisecond, 0))
	}
	return all
}

func FuzzOpen(f *testing.F) {
	for _, s := range tiny(f) {
		f.Add(s.Data[:s.InitBytes])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = fmp4.VideoInit(data)
		file, err := fmp4.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if !errors.Is(err, fmp4.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		// Whatever was read makes a segment that reads the same.
		m, err := fmp4.NewMuxer(file.Header, file.Video, file.Audio)
		if err != nil {
			t.Fatalf("%v of %+v", err, file)
		}
		again, err := fmp4.Open(bytes.NewReader(m.Init()), int64(len(m.Init())))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(file.Format, again.Format); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzScan(f *testing.F) {
	for _, s := range tiny(f) {
		f.Add(s.Data, true, false)
		f.Add(s.Data[:len(s.Data)-1], false, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, verify, sum bool) {
		file, err := fmp4.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		if check := data[file.InitBytes:]; sum && len(check) >= fmp4.CheckBytes { // as somebody would who means ill
			data = bytes.Clone(data)
			check = data[file.InitBytes:][:fmp4.CheckBytes]
			table := crc32.MakeTable(crc32.Castagnoli)
			binary.BigEndian.PutUint32(check[fmp4.CheckBytes-4:], crc32.Checksum(check[:fmp4.CheckBytes-4], table))
		}
		if file, err = fmp4.Open(bytes.NewReader(data), int64(len(data))); err != nil {
			t.Fatal(err)
		}
		pos := file.InitBytes
		good, err := file.Scan(0, verify, func(f recordings.Fragment) bool {
			if f.Offset != pos || f.Bytes < fmp4.CheckBytes || f.VideoBytes > f.Bytes || f.Duration <= 0 {
				t.Fatalf("%+v", f)
			}
			pos += f.Bytes
			return true
		})
		if good != pos || good > int64(len(data)) || (err == nil) != (good == int64(len(data))) || err != nil && !errors.Is(err, fmp4.ErrTorn) {
			t.Fatalf("scanned to %d of %d: %v", good, len(data), err)
		}
		next, err := file.Next(good)
		if err == nil && (next < good || next > int64(len(data))) || err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("next at %d: %v", next, err)
		}
	})
}

func FuzzUnits(f *testing.F) {
	all := tiny(f)
	var files []*fmp4.File
	for i, s := range all {
		files = append(files, open(f, s.Data))
		for _, fragment := range s.Fragments {
			f.Add(s.Data[fragment.Offset:][:fragment.Bytes], uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, which uint8) {
		video, audio, err := files[int(which)%len(files)].Units(data)
		if err != nil {
			if !errors.Is(err, fmp4.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		n := 0
		for _, list := range [][]*codecs.Unit{video, audio} {
			for _, u := range list {
				n += u.Size()
			}
		}
		if len(video) == 0 || n > len(data) {
			t.Fatalf("%d pictures and %d frames of sound of %d bytes out of %d", len(video), len(audio), n, len(data))
		}
	})
}

func FuzzRewrite(f *testing.F) {
	for _, s := range tiny(f) {
		for _, fragment := range s.Fragments {
			f.Add(s.Data[fragment.Offset:][:fragment.Bytes], uint32(fragment.VideoBytes))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, video uint32) {
		fragment := recordings.Fragment{Bytes: int64(len(data)), VideoBytes: int64(video)}
		if fragment.VideoBytes <= fragment.Bytes {
			_, _, err := fmp4.ReadSpans(bytes.NewReader(data), fragment)
			if err != nil && !errors.Is(err, fmp4.ErrMalformed) {
				t.Fatal(err)
			}
		}
		same := func(t int64) int64 { return t }
		out, err := fmp4.Rewrite(bytes.Clone(data), fmp4.Edit{
			Sequence: 1,
			Video:    fmp4.Placement{Track: 1, Description: 1, At: same},
			Audio:    fmp4.Placement{Track: 2, Description: 1, At: same},
		})
		if err == nil && len(out) != len(data)-fmp4.CheckBytes || err != nil && !errors.Is(err, fmp4.ErrMalformed) {
			t.Fatalf("%d of %d bytes: %v", len(out), len(data), err)
		}
	})
}
