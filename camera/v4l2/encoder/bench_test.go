//go:build device && cgo

package encoder

import (
	"fmt"
	"image"
	"syscall"
	"testing"
	"time"

	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/video"
)

// cpu counts the processor time of this process; it is what to go by on a machine that
// does other things as well. For one core: GOMAXPROCS=1 taskset -c 0 go test
// -tags device -run '^$' -bench . ./camera/v4l2/encoder
type cpu struct {
	b     *testing.B
	start time.Duration
}

func startCPU(b *testing.B) cpu { b.Helper(); return cpu{b, processorTime(b)} }

func (c cpu) stop() (used time.Duration) {
	c.b.Helper()
	used = processorTime(c.b) - c.start
	c.b.ReportMetric(float64(used.Microseconds())/float64(c.b.N), "cpu-us/op")
	return used
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEncode720p encodes a moving picture with a sensor's noise.
func BenchmarkEncode720p(b *testing.B) {
	for _, speed := range speeds() {
		for _, fourCC := range []string{"YUYV", "NV12", "MJPG"} {
			b.Run(fmt.Sprintf("%s/%s/%s", Name, speed, fourCC), func(b *testing.B) {
				pictures := device720p(b, fourCC)
				s := film{width: 1280, height: 720}.settings(fourCC)
				s.Bitrate = 3_000_000
				e := start(b, s)
				for speeds()[e.speed] != speed {
					e.hurryLocked(1)
				}
				e.pacer.window = 1 << 60 // this speed to the end
				b.ReportAllocs()
				used := startCPU(b)
				for i := 0; b.Loop(); i++ {
					if _, err := e.Encode(played(pictures, i), false); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/used.stop().Seconds(), "pictures/cpu-s")
			})
		}
	}
}

// device720p returns what a camera delivers.
func device720p(b *testing.B, fourCC string) [][]byte {
	b.Helper()
	f := shoot(b, 1280, 720, 40, 8)
	switch fourCC {
	case "YUYV":
		return f.as(b, "yuyv422")
	case "NV12":
		return f.as(b, "nv12")
	case "YU12":
		return f.frames
	}
	return f.jpegs(b, "yuvj422p", 6)
}

// BenchmarkPack720p compares our packing with what mediadevices has for it: a decoder
// of the format, and ToI420 before the encoder.
func BenchmarkPack720p(b *testing.B) {
	for _, c := range []struct {
		fourCC string
		theirs frame.Format
	}{{"YUYV", frame.FormatYUYV}, {"UYVY", frame.FormatUYVY}, {"NV12", frame.FormatNV12}, {"YU12", frame.FormatI420}, {"MJPG", frame.FormatMJPEG}} {
		format := c.fourCC
		if format == "UYVY" {
			format = "YUYV" // the same work
		}
		pictures := device720p(b, format)
		b.Run(c.fourCC+"/ours", func(b *testing.B) {
			s := film{width: 1280, height: 720}.settings(c.fourCC)
			var p packer = newJPEGPacker(s)
			if isRaw(c.fourCC) {
				var err error
				if p, err = newRawPacker(s); err != nil {
					b.Fatal(err)
				}
			}
			dst := newPlanes(1280, 720)
			b.ReportAllocs()
			used := startCPU(b)
			for i := 0; b.Loop(); i++ {
				if err := p.pack(dst, played(pictures, i)); err != nil {
					b.Fatal(err)
				}
			}
			used.stop()
		})
		b.Run(c.fourCC+"/mediadevices", func(b *testing.B) {
			decoder, err := frame.NewDecoder(c.theirs)
			if err != nil {
				b.Fatal(err)
			}
			i := 0
			r := video.ToI420(video.ReaderFunc(func() (image.Image, func(), error) {
				i++
				return decoder.Decode(played(pictures, i), 1280, 720)
			}))
			b.ReportAllocs()
			used := startCPU(b)
			for b.Loop() {
				_, release, err := r.Read()
				if err != nil {
					b.Fatal(err)
				}
				release()
			}
			used.stop()
		})
	}
}
