package fmp4_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// pictures returns the checksums of the pictures that ffmpeg decodes.
func pictures(tb testing.TB, args ...string) (sums []string) {
	tb.Helper()
	args = append(append([]string{"-nostdin", "-v", "error", "-threads", "1"}, args...), "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-")
	for line := range strings.Lines(string(fmp4test.Run(tb, nil, "ffmpeg", args...))) {
		if !strings.HasPrefix(line, "#") {
			sums = append(sums, line[strings.LastIndexByte(line, ',')+1:])
		}
	}
	return sums
}

// annexB writes a video's units as a byte stream.
func annexB(tb testing.TB, m fmp4test.Media) string {
	tb.Helper()
	delimiter := []byte{0, 0, 0, 1, byte(h264.AccessUnitDelim), 0xf0}
	if m.Track.Codec == codecs.H265 {
		delimiter = []byte{0, 0, 0, 1, 35 << 1, 1, 0x50}
	}
	var b []byte
	for _, u := range m.Units {
		b = append(b, delimiter...)
		for _, n := range u.Payload {
			b = append(append(b, 0, 0, 0, 1), n...)
		}
	}
	return fmp4test.File(tb, "stream", b)
}

func TestMuxer_WhatRealEncodersMakePlays(t *testing.T) {
	tests := []struct {
		name    string
		codec   codecs.Codec
		encoder string
		sound   codecs.Codec
		video   string // as in Format
		audio   string
		bFrames bool
	}{
		{"H.264 baseline, AAC", codecs.H264, "-c:v libx264 -profile:v baseline -x264-params keyint=25:scenecut=0", codecs.AAC, "avc1.42c00c", "mp4a.40.2", false},
		{"H.264 with B-frames, Opus", codecs.H264, "-c:v libx264 -profile:v high -x264-params keyint=25:scenecut=0:bframes=3:b-pyramid=normal:b-adapt=0:open-gop=1", codecs.Opus, "avc1.64000c", "opus", true},
		{"H.264 10 bit 4:2:2, PCMU", codecs.H264, "-pix_fmt yuv422p10le -c:v libx264 -x264-params keyint=25:bframes=0", codecs.PCMU, "avc1.7a000c", "ulaw", false},
		{"H.264 4:4:4", codecs.H264, "-pix_fmt yuv444p -c:v libx264 -x264-params keyint=25:bframes=0", codecs.Unknown, "avc1.f4000c", "", false},
		{"H.265, PCMA", codecs.H265, "-c:v libx265 -x265-params log-level=none:keyint=25:scenecut=0:bframes=0:open-gop=0", codecs.PCMA, "hvc1.1.6.L60.90", "alaw", false},
		{"H.265 with B-frames and open groups", codecs.H265, "-c:v libx265 -x265-params log-level=none:keyint=25:scenecut=0:bframes=3:b-adapt=0", codecs.AAC, "hvc1.1.6.L60.90", "mp4a.40.2", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			video := fmp4test.Video(t, tt.codec, tt.encoder, "320x180", 60, noon())
			sound := none()
			if tt.sound != codecs.Unknown {
				sound = fmp4test.Sound(t, tt.sound, 3, noon())
			}
			s := fmp4test.Write(t, header(), video, sound, 700*time.Millisecond, 0)
			if s.Format.Video != tt.video || s.Format.Audio != tt.audio || s.Format.Width != 320 || s.Format.Height != 180 {
				t.Errorf("format %+v", s.Format)
			}
			file := fmp4test.File(t, "s.mp4", s.Data)
			fmp4test.Play(t, file)
			if diff := cmp.Diff(pictures(t, "-i", annexB(t, video)), pictures(t, "-i", file)); diff != "" {
				t.Errorf("other pictures: %s", diff)
			}
			checkTimes(t, fmp4test.ProbeFile(t, file), video, sound)
		})
	}
}

// checkTimes compares the times that ffprobe finds with those of capture.
func checkTimes(t *testing.T, p fmp4test.Probe, media ...fmp4test.Media) {
	t.Helper()
	begin := slices.MinFunc(media[0].Units, func(a, b *codecs.Unit) int { return int(a.At - b.At) }).At
	for i, m := range media {
		var pts []float64
		last := math.Inf(-1)
		for _, packet := range p.Packets {
			if packet.Stream == i {
				pts = append(pts, fmp4test.Seconds(t, packet.PTS))
				if d := fmp4test.Seconds(t, packet.DTS); d <= last {
					t.Errorf("track %d: decoded at %f after %f", i, d, last)
				} else {
					last = d
				}
			}
		}
		if len(pts) != len(m.Units) {
			t.Fatalf("track %d has %d frames, not %d", i, len(pts), len(m.Units))
		}
		for k, u := range m.Units {
			if want := float64(u.At-begin) / 1e6; math.Abs(pts[k]-want) > 0.0005 {
				t.Fatalf("track %d: frame %d shown at %f, captured at %f", i, k, pts[k], want)
			}
		}
	}
}

func TestMuxer_TestPictureWithJitterPlays(t *testing.T) {
	video := small(t, 50)
	for i, u := range video.Units { // as cameras do
		u.PTS += []int64{0, 700, -400, 1100, -900}[i%5]
	}
	s := fmp4test.Write(t, header(), video, none(), time.Second, 0)
	file := fmp4test.File(t, "s.mp4", s.Data)
	fmp4test.Play(t, file)
	p := fmp4test.ProbeFile(t, file)
	if n := len(p.Packets); n != 50 {
		t.Errorf("%d frames", n)
	}
	if d := fmp4test.Seconds(t, p.Format.Duration); d < 1.95 || d > 2.05 {
		t.Errorf("%f s", d)
	}
	if got := p.Format.Tags["creation_time"]; got != "2026-11-21T12:00:00.000000Z" {
		t.Errorf("made at %q", got)
	}
	if title, writer := p.Format.Tags["title"], p.Format.Tags["encoder"]; title != "Haustür" || writer != "sightline test" {
		t.Errorf("title %q, writer %q", title, writer)
	}
}
