package rtsp

import (
	"fmt"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/codecs"
)

// receiver takes the packets of one stream.
type receiver interface {
	packet(p *rtp.Packet, now time.Time)
	report(r *rtcp.SenderReport)
}

// stream is a media section of the camera's description that is received.
type stream struct {
	media  *description.Media
	format format.Format
	track  codecs.Track
	// decode returns the NAL units or audio frames that a packet completes.
	decode   func(*rtp.Packet) ([][]byte, error)
	perFrame int64
}

func (s *stream) receiver(index int, begin time.Time, out sink) receiver {
	if s.track.Codec.Video() {
		return newVideo(index, s.track, s.decode, begin, out)
	}
	return newAudio(index, s.track, s.decode, s.perFrame, begin, out)
}

// plan chooses what to receive: the first video stream that can be carried and
// the first audio stream. warning says what the user should know about audio.
func (a *address) plan(desc *description.Session) (streams []*stream, warning string, err error) {
	var videos, audios []string // of what cannot be carried
	var video, audio *stream
	for _, m := range desc.Medias {
		if m.IsBackChannel {
			continue
		}
		for _, f := range m.Formats {
			s, problem := newStream(m, f)
			switch {
			case s != nil && s.track.Codec.Video() && video == nil:
				video = s
			case s != nil && s.track.Codec.Audio() && audio == nil:
				audio = s
			case s == nil && m.Type == description.MediaTypeVideo:
				videos = append(videos, problem)
			case s == nil && m.Type == description.MediaTypeAudio:
				audios = append(audios, problem)
			}
		}
	}
	if video == nil {
		if len(videos) > 0 {
			return nil, "", a.errorf(NoVideo, "the camera at %s sends %s, which cannot be carried; set its video codec to H.264",
				a, a.redact(strings.Join(videos, ", ")))
		}
		return nil, "", a.errorf(NoVideo, "the stream at %s has no video; choose another path", a)
	}
	streams = append(streams, video)
	if audio != nil {
		streams = append(streams, audio)
	} else if len(audios) > 0 {
		warning = fmt.Sprintf("the camera's sound (%s) cannot be carried; set its audio codec to G.711 or Opus",
			a.redact(strings.Join(audios, ", ")))
	}
	return streams, warning, nil
}

// newStream returns the stream of a format, or the name of the format, with
// what is special about it, when it cannot be carried.
func newStream(m *description.Media, f format.Format) (*stream, string) {
	s := &stream{media: m, format: f}
	name := f.Codec()
	var err error
	switch f := f.(type) {
	case *format.H264:
		err = s.h264(f)
	case *format.H265:
		err = s.h265(f)
	case *format.G711:
		err = s.g711(f)
	case *format.Opus:
		err = s.opus(f)
	case *format.MPEG4Audio:
		err = s.aac(f)
	case *format.MPEG4AudioLATM:
		err = s.latm(f)
	case *format.MJPEG:
		return nil, "MJPEG"
	default:
		return nil, name
	}
	if err != nil {
		return nil, fmt.Sprintf("%s (%v)", name, err)
	}
	return s, ""
}

func (s *stream) h264(f *format.H264) error {
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	sps, pps := f.SafeParams()
	s.track = codecs.Track{Codec: codecs.H264, ClockRate: f.ClockRate(), SPS: sps, PPS: pps}
	s.decode = d.Decode
	return nil
}

func (s *stream) h265(f *format.H265) error {
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	vps, sps, pps := f.SafeParams()
	s.track = codecs.Track{Codec: codecs.H265, ClockRate: f.ClockRate(), VPS: vps, SPS: sps, PPS: pps}
	s.decode = d.Decode
	return nil
}

func (s *stream) g711(f *format.G711) error {
	if f.SampleRate != 8000 || f.ChannelCount != 1 {
		return fmt.Errorf("%d Hz, %d channels instead of 8000 Hz, 1 channel", f.SampleRate, f.ChannelCount)
	}
	s.track = codecs.Track{Codec: codecs.PCMA, ClockRate: 8000, Channels: 1}
	if f.MULaw {
		s.track.Codec = codecs.PCMU
	}
	s.decode = wholePacket
	return nil
}

func (s *stream) opus(f *format.Opus) error {
	if f.ChannelCount > 2 {
		return fmt.Errorf("%d channels instead of 1 or 2", f.ChannelCount)
	}
	s.track = codecs.Track{Codec: codecs.Opus, ClockRate: 48000, Channels: max(f.ChannelCount, 1)}
	s.decode = wholePacket
	return nil
}

func (s *stream) aac(f *format.MPEG4Audio) error {
	if f.SizeLength <= 0 || f.Config == nil {
		return fmt.Errorf("without size or configuration")
	}
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	s.decode = d.Decode
	return s.aacConfig(f.Config, f.ClockRate())
}

// latm supports what cameras send: one program with one layer, its
// configuration in the description (RFC 6416 §7.3, cpresent=0).
func (s *stream) latm(f *format.MPEG4AudioLATM) error {
	c := f.StreamMuxConfig
	if f.CPresent || c == nil || len(c.Programs) != 1 || len(c.Programs[0].Layers) != 1 ||
		c.Programs[0].Layers[0].AudioSpecificConfig == nil {
		return fmt.Errorf("in-band configuration or several layers")
	}
	d, err := f.CreateDecoder()
	if err != nil {
		return err
	}
	s.decode = func(p *rtp.Packet) ([][]byte, error) {
		raw, err := d.Decode(p)
		if err != nil {
			return nil, err
		}
		element := mpeg4audio.AudioMuxElement{StreamMuxConfig: c}
		if err := element.Unmarshal(raw); err != nil {
			return nil, fmt.Errorf("read AudioMuxElement: %w", err)
		}
		var frames [][]byte
		for _, sub := range element.Payloads {
			if len(sub) == 1 && len(sub[0]) == 1 {
				frames = append(frames, sub[0][0])
			}
		}
		return frames, nil
	}
	return s.aacConfig(c.Programs[0].Layers[0].AudioSpecificConfig, f.ClockRate())
}

func (s *stream) aacConfig(c *mpeg4audio.AudioSpecificConfig, clock int) error {
	config, err := c.Marshal()
	if err != nil {
		return err
	}
	if clock <= 0 {
		return fmt.Errorf("without a clock rate")
	}
	s.track = codecs.Track{Codec: codecs.AAC, ClockRate: clock, Channels: c.ChannelCount, AudioConfig: config}
	s.perFrame = mpeg4audio.SamplesPerAccessUnit
	return nil
}
