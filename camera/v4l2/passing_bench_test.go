package v4l2

import (
	"strconv"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/defects"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// discard drops what it is given.
type discard struct{}

func (discard) SetTracks([]codecs.Track) {}
func (discard) WriteUnit(*codecs.Unit)   {}
func (discard) Warn(string, string)      {}

var _ camera.Output = discard{}

// What is done to a picture between the driver and the hub, by its size: 2 and 12 Mbit/s.
func BenchmarkPassing(b *testing.B) {
	for _, bitrate := range []int{2_000_000, 12_000_000} {
		b.Run(strconv.Itoa(bitrate/1_000_000)+"Mbit", func(b *testing.B) {
			e, err := testpattern.New(testpattern.Options{Width: 1920, Height: 1080, FPS: 30, Bitrate: bitrate})
			if err != nil {
				b.Fatal(err)
			}
			var buffers [][]byte
			size := 0
			begin := time.Now()
			for i := range 60 {
				buffers = append(buffers, stream(e.Encode(begin.Add(time.Duration(i)*time.Second/30))...))
				size += len(buffers[i])
			}
			s, err := New(Options{Address: "/dev/video0"})
			if err != nil {
				b.Fatal(err)
			}
			c := &session{
				source: s, opened: &opened{source: s}, out: discard{}, clock: clock{begin: begin},
				defects: defects.New(s.opts.Logger), tracks: []codecs.Track{{Codec: codecs.H264, ClockRate: clockRate}},
			}
			p := newPassing(c)
			b.SetBytes(int64(size / len(buffers)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at := c.clock.at(uapi.Frame{}, 0, begin.Add(time.Duration(i)*time.Second/30))
				if err := p.frame(uapi.Frame{Data: buffers[i%len(buffers)]}, at); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
