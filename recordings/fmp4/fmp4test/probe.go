package fmp4test

import (
	"encoding/json"
	"strconv"
	"testing"
)

// Probe is what ffprobe says about a file.
type Probe struct {
	Streams []ProbeStream `json:"streams"`
	Packets []ProbePacket `json:"packets"`
	Format  struct {
		Duration string            `json:"duration"`
		Tags     map[string]string `json:"tags"`
	} `json:"format"`
}

// ProbeStream is one track.
type ProbeStream struct {
	CodecName  string `json:"codec_name"`
	CodecType  string `json:"codec_type"`
	Profile    string `json:"profile"`
	Width      int    `json:"width"`
	Height     int    `json:"height"`
	SampleRate string `json:"sample_rate"`
	Channels   int    `json:"channels"`
	BFrames    int    `json:"has_b_frames"`
}

// ProbePacket is one frame, times in seconds.
type ProbePacket struct {
	Stream   int    `json:"stream_index"`
	PTS      string `json:"pts_time"`
	DTS      string `json:"dts_time"`
	Duration string `json:"duration_time"`
	Flags    string `json:"flags"`
}

// ProbeFile asks ffprobe, which may not complain.
func ProbeFile(tb testing.TB, file string) Probe {
	tb.Helper()
	out := Run(tb, nil, "ffprobe", "-v", "error", "-show_streams", "-show_packets", "-show_format", "-of", "json", file)
	var p Probe
	if err := json.Unmarshal(out, &p); err != nil {
		tb.Fatal(err)
	}
	return p
}

// Seconds parses a time of ffprobe's.
func Seconds(tb testing.TB, s string) float64 {
	tb.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		tb.Fatalf("ffprobe says %q where a time should be", s)
	}
	return f
}
