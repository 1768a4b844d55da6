package rtsp

import (
	"fmt"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// recorder is a sink.
type recorder struct {
	units    []*codecs.Unit
	tracks   []codecs.Track
	troubles map[string]int
	asked    int
}

func (r *recorder) SetTrack(_ int, t codecs.Track) { r.tracks = append(r.tracks, t) }
func (r *recorder) WriteUnit(u *codecs.Unit)       { r.units = append(r.units, u) }
func (r *recorder) Warn(string, string)            {}
func (r *recorder) askKeyFrame()                   { r.asked++ }
func (r *recorder) Trouble(what string, _ error) {
	if r.troubles == nil {
		r.troubles = make(map[string]int)
	}
	r.troubles[what]++
}

// packets returns n pictures of the test pattern, of several packets each.
func packets(tb testing.TB, n int) (pictures [][]*rtp.Packet) {
	tb.Helper()
	enc, err := testpattern.New(testpattern.Options{Width: 640, Height: 360, Bitrate: 900_000})
	if err != nil {
		tb.Fatal(err)
	}
	h264 := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
	pay, err := h264.CreateEncoder()
	if err != nil {
		tb.Fatal(err)
	}
	begin := time.Now()
	for i := range n {
		ps, err := pay.Encode(enc.Encode(begin.Add(time.Duration(i) * 40 * time.Millisecond)))
		if err != nil {
			tb.Fatal(err)
		}
		for _, p := range ps {
			p.Timestamp = uint32(i) * 3600
		}
		pictures = append(pictures, ps)
	}
	return pictures
}

func h264Stream(tb testing.TB) *stream {
	tb.Helper()
	s, problem := newStream(&description.Media{Type: description.MediaTypeVideo}, &format.H264{PayloadTyp: 96, PacketizationMode: 1})
	if s == nil {
		tb.Fatal(problem)
	}
	return s
}

func TestVideo_LostPacketCostsItsPictureOnlyAndAsksForAKeyFrame(t *testing.T) {
	pictures := packets(t, 20)
	for lost := range pictures[10] {
		t.Run(fmt.Sprintf("packet %d of %d", lost+1, len(pictures[10])), func(t *testing.T) {
			r := &recorder{}
			begin := time.Now()
			v := h264Stream(t).receiver(0, begin, r)
			for i, picture := range pictures {
				for j, p := range picture {
					if i == 10 && j == lost {
						continue
					}
					c := *p
					v.packet(&c, begin.Add(time.Duration(i)*40*time.Millisecond))
				}
			}
			seen := make(map[int64]bool)
			for _, u := range r.units {
				seen[u.PTS/3600] = true
			}
			for i := range int64(20) {
				if want := i != 10; seen[i] != want {
					t.Errorf("picture %d handed on: %v", i, seen[i])
				}
			}
			if r.asked == 0 {
				t.Error("no key frame was asked for")
			}
		})
	}
}

func TestVideo_UnitsWaitForNothingBeyondTheirMarker(t *testing.T) {
	r := &recorder{}
	begin := time.Now()
	v := h264Stream(t).receiver(0, begin, r)
	for i, picture := range packets(t, 10) {
		for _, p := range picture {
			v.packet(p, begin.Add(time.Duration(i)*40*time.Millisecond))
		}
		if want := i + 1; i >= 2 && len(r.units) != want {
			t.Errorf("%d units after picture %d, want %d", len(r.units), i, want)
		}
	}
	if len(r.tracks) != 1 || r.tracks[0].SPS == nil {
		t.Errorf("tracks announced: %+v, want one with the parameter sets", r.tracks)
	}
}

func TestVideo_RepeatedTimeStampsStillRise(t *testing.T) {
	r := &recorder{}
	begin := time.Now()
	v := h264Stream(t).receiver(0, begin, r)
	for i, picture := range packets(t, 20) {
		for _, p := range picture {
			p.Timestamp = uint32(i/5*5)*3600 + uint32(i%5) // the camera's clock hardly moves
			if i == 9 {
				p.Timestamp -= 8 // and goes back once
			}
			v.packet(p, begin.Add(time.Duration(i)*40*time.Millisecond))
		}
	}
	for i := 1; i < len(r.units); i++ {
		if r.units[i].PTS <= r.units[i-1].PTS {
			t.Errorf("PTS %d after %d", r.units[i].PTS, r.units[i-1].PTS)
		}
	}
}

// FuzzVideo feeds packets that a hostile camera may send: the input is cut
// into packets by length bytes, and a header byte moves sequence number, time
// stamp and marker.
func FuzzVideo(f *testing.F) {
	var seed []byte
	for _, picture := range packets(f, 2) {
		picture = picture[:min(len(picture), 4)]
		for i, p := range picture {
			head := byte(0x01)
			if i == 0 {
				head |= 0x02
			}
			if p.Marker {
				head |= 0x04
			}
			n := min(len(p.Payload), 24)
			seed = append(append(seed, head, byte(n)), p.Payload[:n]...)
		}
	}
	f.Add(seed, false)
	f.Add([]byte{1, 4, 0x40, 0x01, 0x0c, 0x01, 5, 3, 0x26, 0x01, 0xaf}, true)
	f.Add([]byte{7, 5, 0x78, 0, 2, 0x67, 0x42, 7, 4, 0x7c, 0x85, 1, 2, 5, 3, 0x7c, 0x45, 9}, false)
	f.Fuzz(func(t *testing.T, data []byte, h265 bool) {
		var fm format.Format = &format.H264{PayloadTyp: 96, PacketizationMode: 1}
		if h265 {
			fm = &format.H265{PayloadTyp: 96}
		}
		s, problem := newStream(&description.Media{Type: description.MediaTypeVideo}, fm)
		if s == nil {
			t.Fatal(problem)
		}
		r := &recorder{}
		begin := time.Now()
		feed(s.receiver(0, begin, r), data, begin)
		for _, u := range r.units {
			if len(u.Payload) == 0 || u.Size() == 0 {
				t.Fatal("a unit is empty")
			}
		}
	})
}

// FuzzAudio does the same for audio.
func FuzzAudio(f *testing.F) {
	f.Add([]byte{5, 6, 0, 16, 0, 16, 0xde, 0xad}, uint8(0))
	f.Add([]byte{5, 4, 3, 1, 2, 3}, uint8(1))
	f.Add([]byte{5, 4, 3, 1, 2, 3}, uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		config := &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelCount: 1}
		formats := []format.Format{
			&format.MPEG4Audio{PayloadTyp: 97, Config: config, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3},
			&format.MPEG4AudioLATM{PayloadTyp: 97, StreamMuxConfig: &mpeg4audio.StreamMuxConfig{Programs: []*mpeg4audio.StreamMuxConfigProgram{{
				Layers: []*mpeg4audio.StreamMuxConfigLayer{{AudioSpecificConfig: config, LatmBufferFullness: 255}},
			}}}},
			&format.G711{PayloadTyp: 0, MULaw: true, SampleRate: 8000, ChannelCount: 1},
		}
		s, problem := newStream(&description.Media{Type: description.MediaTypeAudio}, formats[int(kind)%len(formats)])
		if s == nil {
			t.Fatal(problem)
		}
		r := &recorder{}
		begin := time.Now()
		feed(s.receiver(0, begin, r), data, begin)
		for i := 1; i < len(r.units); i++ {
			if r.units[i].PTS <= r.units[i-1].PTS {
				t.Fatalf("PTS %d after %d", r.units[i].PTS, r.units[i-1].PTS)
			}
		}
	})
}

func feed(r receiver, data []byte, now time.Time) {
	p := rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 1, PayloadType: 96}}
	for len(data) >= 2 {
		head, n := data[0], min(int(data[1]), len(data)-2)
		p.SequenceNumber += uint16(head & 0x01)
		p.Timestamp += uint32(head&0x02) * 1800
		p.Timestamp -= uint32(head&0x08) * 4000
		p.SequenceNumber += uint16(head & 0x10)
		p.Marker = head&0x04 != 0
		p.Payload = append([]byte(nil), data[2:2+n]...)
		c := p
		now = now.Add(20 * time.Millisecond)
		r.packet(&c, now)
		data = data[2+n:]
	}
}
