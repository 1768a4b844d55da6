package fmp4test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/codecs/nal"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// Media is a track and its frames, in decoding order. The first frame shown has a
// PTS of 1,000 and was captured at the time asked for.
type Media struct {
	Track codecs.Track
	Units []*codecs.Unit
}

// firstPTS is the PTS of the first frame.
const firstPTS = 1000

// Pictures returns n frames of the test picture.
func Pictures(tb testing.TB, o testpattern.Options, n int, at time.Time) Media {
	tb.Helper()
	e, err := testpattern.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	sps, pps := e.ParameterSets()
	m := Media{Track: codecs.Track{Codec: codecs.H264, ClockRate: 90_000, SPS: sps, PPS: pps}}
	tick := int64(90_000 / e.Options().FPS)
	for i := range int64(n) {
		now := at.UnixMicro() + i*tick*100/9
		nals := e.Encode(time.UnixMicro(now))
		m.Units = append(m.Units, &codecs.Unit{PTS: firstPTS + i*tick, At: now, Key: len(nals) > 1, Payload: nals})
	}
	return m
}

// Video returns what ffmpeg encodes of a moving picture of 25 frames a second with
// the arguments, such as "-c:v libx264 -bf 2", for so many frames.
func Video(tb testing.TB, codec codecs.Codec, encoder string, size string, frames int, at time.Time) Media {
	tb.Helper()
	file := File(tb, "source.mp4", nil)
	args := "-nostdin -v error -y -f lavfi -i testsrc2=size=" + size + ":rate=25 -frames:v " + strconv.Itoa(frames) +
		" -pix_fmt yuv420p -threads 1 " + encoder + " -video_track_timescale 90000 " + file
	Run(tb, nil, "ffmpeg", strings.Fields(args)...)
	format, bsf := "h264", "h264_mp4toannexb,h264_metadata=aud=insert"
	if codec == codecs.H265 {
		format, bsf = "hevc", "hevc_mp4toannexb,hevc_metadata=aud=insert"
	}
	stream := Run(tb, nil, "ffmpeg", "-nostdin", "-v", "error", "-i", file, "-c", "copy", "-bsf:v", bsf, "-f", format, "-")
	var pts []int64
	for _, p := range ProbeFile(tb, file).Packets {
		pts = append(pts, int64(math.Round(Seconds(tb, p.PTS)*90_000)))
	}
	m := assemble(tb, codec, stream)
	if len(m.Units) != len(pts) || len(pts) != frames {
		tb.Fatalf("%d units, %d times, %d frames", len(m.Units), len(pts), frames)
	}
	first := slices.Min(pts)
	for i, u := range m.Units {
		u.PTS = pts[i] - first + firstPTS
		u.At = at.UnixMicro() + (pts[i]-first)*100/9
	}
	return m
}

// assemble cuts a byte stream at its delimiters and makes units of it.
func assemble(tb testing.TB, c codecs.Codec, stream []byte) Media {
	tb.Helper()
	nals, err := nal.SplitAnnexB(stream)
	if err != nil {
		tb.Fatal(err)
	}
	a := h264.NewAssembler(codecs.Track{})
	delimiter := func(u []byte) bool { return h264.TypeOf(u) == h264.AccessUnitDelim }
	if c == codecs.H265 {
		a = h265.NewAssembler(codecs.Track{})
		delimiter = func(u []byte) bool { return h265.TypeOf(u) == h265.AccessUnitDelim }
	}
	var m Media
	var list [][]byte
	for i, u := range nals {
		list = append(list, u)
		if i+1 < len(nals) && !delimiter(nals[i+1]) {
			continue
		}
		au := a.Assemble(list)
		if au.Payload == nil || au.Undecodable {
			tb.Fatalf("unit %d cannot be decoded", len(m.Units))
		}
		m.Units = append(m.Units, &codecs.Unit{Key: au.Key, Discardable: au.Discardable, Payload: au.Payload})
		list = nil
	}
	m.Track = a.Track()
	m.Track.Codec, m.Track.ClockRate = c, 90_000
	return m
}

// Sound returns a beep of 1 kHz each second, coded by ffmpeg, for so many seconds.
func Sound(tb testing.TB, codec codecs.Codec, seconds int, at time.Time) Media {
	tb.Helper()
	rate, coder := 8000, ""
	m := Media{Track: codecs.Track{Codec: codec, ClockRate: rate, Channels: 1}}
	switch codec {
	case codecs.AAC:
		rate, coder = 16000, "-c:a aac -b:a 32k -f adts"
	case codecs.Opus:
		rate, coder = 48000, "-c:a libopus -vbr off -b:a 32k -frame_duration 20 -map 0:a -f data"
	case codecs.PCMA:
		coder = "-c:a pcm_alaw -f alaw"
	default:
		coder = "-c:a pcm_mulaw -f mulaw"
	}
	m.Track.ClockRate = rate
	args := "-nostdin -v error -f lavfi -i sine=frequency=400:beep_factor=4:sample_rate=" + strconv.Itoa(rate) +
		" -t " + strconv.Itoa(seconds) + " -ac 1 " + coder + " -"
	data := Run(tb, nil, "ffmpeg", strings.Fields(args)...)
	var frames [][]byte
	length := int64(rate / 50)
	switch codec {
	case codecs.AAC:
		var packets mpeg4audio.ADTSPackets
		if err := packets.Unmarshal(data); err != nil {
			tb.Fatal(err)
		}
		for _, p := range packets {
			frames = append(frames, p.AU)
		}
		length = mpeg4audio.SamplesPerAccessUnit
		c := mpeg4audio.AudioSpecificConfig{Type: packets[0].Type, SampleRate: packets[0].SampleRate, ChannelCount: 1}
		config, err := c.Marshal()
		if err != nil {
			tb.Fatal(err)
		}
		m.Track.AudioConfig = config
	case codecs.Opus:
		frames = slices.Collect(slices.Chunk(data, 80))
	default:
		frames = slices.Collect(slices.Chunk(data, int(length)))
	}
	for i, f := range frames {
		t := int64(i) * length
		m.Units = append(m.Units, &codecs.Unit{
			Track: 1, PTS: firstPTS + t, At: at.UnixMicro() + t*1_000_000/int64(rate), Key: true, Payload: [][]byte{f},
		})
	}
	return m
}
