package v4l2

import (
	"errors"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// sizeAt is a single size with its rates.
func sizeAt(width, height uint32, rates ...float64) Size {
	s := discrete(width, height)
	s.Rates = rates
	return s
}

func formatOf(f uapi.FourCC, sizes ...Size) Format {
	return Format{FourCC: f, Description: "the driver's words", Use: useOf(f), Sizes: sizes}
}

func deviceOf(card string, formats ...Format) Device {
	return Device{Path: "/dev/video0", Card: card, Driver: "uvcvideo", Bus: "usb-0000:00:14.0-2", Formats: formats}
}

// c920 is as a Logitech C920 of today: raw at rates that fall with the size, and MJPEG.
func c920() Device {
	return deviceOf("HD Pro Webcam C920",
		formatOf(uapi.YUYV, sizeAt(2304, 1536, 2), sizeAt(1920, 1080, 5), sizeAt(1600, 896, 7.5, 5), sizeAt(1280, 720, 10, 7.5, 5),
			sizeAt(800, 600, 24, 20, 15, 10, 7.5, 5), sizeAt(864, 480, 24, 20, 15, 10, 7.5, 5), sizeAt(640, 480, 30, 24, 20, 15), sizeAt(160, 90, 30, 24)),
		formatOf(uapi.MJPG, sizeAt(1920, 1080, 30, 24, 20, 15), sizeAt(1600, 896, 30, 24), sizeAt(1280, 720, 60, 30, 24, 20), sizeAt(640, 480, 30, 24)))
}

// oldC920 has H.264 as well, as they were made until 2018.
func oldC920() Device {
	d := c920()
	d.Formats = append(d.Formats, formatOf(uapi.H264, sizeAt(1920, 1080, 30, 24, 20), sizeAt(1280, 720, 30), sizeAt(640, 480, 30)))
	return d
}

func pi() Device {
	step := func(f uapi.FourCC) Format {
		rates := []float64{60, 50, 30, 25, 24, 20, 15, 10, 5}
		r := Size{Width: uapi.Range{Min: 32, Max: 2592, Step: 2}, Height: uapi.Range{Min: 32, Max: 1944, Step: 2}, Rates: rates}
		return formatOf(f, sizeAt(2592, 1944, rates...), sizeAt(1920, 1080, rates...), sizeAt(1280, 720, rates...), sizeAt(640, 480, rates...), r)
	}
	return deviceOf("mmal service 16.1", step(uapi.YU12), step(uapi.YUYV), step(uapi.RGB3), step(uapi.JPEG), step(uapi.H264),
		step(uapi.MJPG), step(uapi.YVYU), step(uapi.VYUY), step(uapi.UYVY), step(uapi.NV12), step(uapi.BGR3), step(uapi.YV12), step(uapi.NV21))
}

func soc() Device {
	return deviceOf("SoC encoder",
		formatOf(uapi.HEVC, sizeAt(3840, 2160, 30), sizeAt(1920, 1080, 60, 30)),
		formatOf(uapi.H264, sizeAt(3840, 2160, 30), sizeAt(1920, 1088, 60, 50, 30, 25), sizeAt(1920, 1080, 60, 50, 25), sizeAt(1280, 720, 60)))
}

func thermal() Device { return deviceOf("PureThermal", formatOf(uapi.Y16, sizeAt(160, 120, 9))) }

func loopback() Device { return deviceOf("Dummy video device", formatOf(uapi.YUYV, sizeAt(640, 480))) }

func vivid() Device {
	d := deviceOf("vivid")
	for _, f := range []uapi.FourCC{uapi.YUYV, uapi.UYVY, uapi.NV16, uapi.GREY, uapi.Y10, uapi.YU12, uapi.NV12, uapi.RGB3, uapi.BGR3, uapi.XR24} {
		d.Formats = append(d.Formats, formatOf(f,
			sizeAt(3840, 2160, 5, 4, 1), sizeAt(1920, 1080, 15, 10, 5), sizeAt(1280, 720, 30, 25, 15), sizeAt(640, 480, 60, 50, 30), sizeAt(320, 180, 60)))
	}
	return d
}

func mixed() Device { // H.265 and raw pictures
	return deviceOf("mixed", formatOf(uapi.HEVC, sizeAt(1920, 1080, 30)), formatOf(uapi.YUYV, sizeAt(1280, 720, 10), sizeAt(640, 480, 30)))
}

func deviceWith(f uapi.FourCC, sizes ...Size) Device {
	return deviceOf("one format", formatOf(f, sizes...))
}

func TestChoose(t *testing.T) {
	const can, cannot = true, false
	for _, c := range []struct {
		name   string
		device Device
		want   Want
		encode bool
		mode   string
	}{
		{"raw is too slow at 720p, JPEG is not", c920(), Want{}, can, "MJPG 1280x720 at 30"},
		{"H.264 of the device, with and", oldC920(), Want{}, can, "H264 1920x1080 at 30"},
		{"without an encoder", oldC920(), Want{}, cannot, "H264 1920x1080 at 30"},
		{"a Pi", pi(), Want{}, can, "H264 1920x1080 at 30"},
		{"a chip that gives 4K as well", soc(), Want{}, can, "H264 1920x1088 at 30"},
		{"many formats", vivid(), Want{}, can, "NV12 1280x720 at 30"},
		{"raw before H.265", mixed(), Want{}, can, "YUYV 640x480 at 30"},
		{"H.265 if nothing else can be carried", mixed(), Want{}, cannot, "HEVC 1920x1080 at 30"},
		{"no rates told", loopback(), Want{}, can, "YUYV 640x480 at 30"},
		{"H.264 without start codes", deviceWith(uapi.H264NoSC, sizeAt(640, 480, 30)), Want{}, cannot, "AVC1 640x480 at 30"},

		{"at least 15 a second before a larger picture", deviceWith(uapi.H264, sizeAt(1920, 1080, 10), sizeAt(1280, 720, 15)), Want{}, can, "H264 1280x720 at 15"},
		{"slow if there is nothing faster", deviceWith(uapi.H264, sizeAt(1920, 1080, 10, 5), sizeAt(1280, 720, 12)), Want{}, can, "H264 1920x1080 at 10"},
		{"the slowest above 30", deviceWith(uapi.H264, sizeAt(1280, 720, 120, 60, 50)), Want{}, can, "H264 1280x720 at 50"},
		{"the smallest above 1080p", deviceWith(uapi.H264, sizeAt(3840, 2160, 30), sizeAt(2560, 1440, 30)), Want{}, can, "H264 2560x1440 at 30"},
		{"4:3 within the limit", deviceWith(uapi.H264, sizeAt(1600, 1200, 30), sizeAt(1280, 720, 30)), Want{}, can, "H264 1600x1200 at 30"},
		{"portrait within the limit", deviceWith(uapi.H264, sizeAt(1080, 1920, 30), sizeAt(720, 1280, 30)), Want{}, can, "H264 1080x1920 at 30"},
		{"raw at 20 a second before a larger picture", deviceWith(uapi.YUYV, sizeAt(1280, 720, 15), sizeAt(640, 480, 20)), Want{}, can, "YUYV 640x480 at 20"},
		{"the faster of two formats", deviceOf("", formatOf(uapi.NV12, sizeAt(1280, 720, 20)), formatOf(uapi.MJPG, sizeAt(1280, 720, 30))), Want{}, can, "MJPG 1280x720 at 30"},
		{"in colour", deviceOf("", formatOf(uapi.GREY, sizeAt(640, 480, 30)), formatOf(uapi.MJPG, sizeAt(640, 480, 30))), Want{}, can, "MJPG 640x480 at 30"},

		{"a format alone", c920(), Want{Format: uapi.YUYV}, can, "YUYV 800x600 at 24"},
		{"a size alone", c920(), Want{Width: 1920, Height: 1080}, can, "MJPG 1920x1080 at 30"},
		{"a size that only raw pictures have", oldC920(), Want{Width: 1600, Height: 896}, can, "MJPG 1600x896 at 30"},
		{"a format and a size", c920(), Want{Format: uapi.YUYV, Width: 1920, Height: 1080}, can, "YUYV 1920x1080 at 5"},
		{"a width alone", c920(), Want{Width: 864}, can, "YUYV 864x480 at 24"},
		{"a height alone", oldC920(), Want{Height: 720}, can, "H264 1280x720 at 30"},
		{"H.265 where it is asked for", soc(), Want{Format: uapi.HEVC}, can, "HEVC 1920x1080 at 30"},
		{"4K where it is asked for", soc(), Want{Width: 3840, Height: 2160}, can, "H264 3840x2160 at 30"},
		{"a rate", c920(), Want{Rate: 60}, can, "MJPG 1280x720 at 60"},
		{"the nearest rate", c920(), Want{Width: 1920, Height: 1080, Rate: 22.5}, can, "MJPG 1920x1080 at 24"},
		{"a low rate", c920(), Want{Rate: 5}, can, "YUYV 1280x720 at 5"},
		{"a rate of a driver that tells none", loopback(), Want{Rate: 12.5}, can, "YUYV 640x480 at 12.5"},
		{"a size within a range", pi(), Want{Width: 1296, Height: 972}, cannot, "H264 1296x972 at 30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Choose(c.device, c.want, c.encode)
			if err != nil {
				t.Fatal(err)
			}
			if m.String() != c.mode {
				t.Errorf("chose %s, want %s", m, c.mode)
			}
			if m.Use != useOf(m.FourCC) {
				t.Errorf("chose %s to %s", m, m.Use)
			}
		})
	}
}

func TestChoose_ErrorsSayWhatThereIs(t *testing.T) {
	const can, cannot = true, false
	const build = "this binary cannot encode video; build one that can with `make device`"
	for _, c := range []struct {
		name   string
		device Device
		want   Want
		encode bool
		reason Reason
		text   string // its beginning
	}{
		{"no encoder", c920(), Want{}, cannot, NoEncoder,
			"/dev/video0 (HD Pro Webcam C920) gives only pictures that have to be encoded (YUYV, MJPG), and " + build},
		{"no encoder, and a size that there is not", c920(), Want{Width: 17}, cannot, NoEncoder,
			"/dev/video0 (HD Pro Webcam C920) gives only pictures that have to be encoded (YUYV, MJPG), and " + build},
		{"no encoder for what is wanted", oldC920(), Want{Format: uapi.YUYV}, cannot, NoEncoder,
			"/dev/video0 (HD Pro Webcam C920) gives YUYV only as pictures that have to be encoded (YUYV, MJPG), and " + build},
		{"another size", oldC920(), Want{Format: uapi.H264, Width: 1024, Height: 768, Rate: 25}, can, NoFormat,
			"/dev/video0 (HD Pro Webcam C920) has no H264 1024x768; it has " +
				"YUYV 2304x1536 up to 2, 1920x1080 up to 5, 1600x896 up to 7.5, 1280x720 up to 10, 800x600 up to 24, 864x480 up to 24, 2 smaller; " +
				"MJPG 1920x1080 up to 30, 1600x896 up to 30, 1280x720 up to 60, 640x480 up to 30; " +
				"H264 1920x1080 up to 30, 1280x720 up to 30, 640x480 up to 30"},
		{"another size, without an encoder", oldC920(), Want{Width: 1024}, cannot, NoFormat,
			"/dev/video0 (HD Pro Webcam C920) has no pictures 1024 wide; it has H264 1920x1080 up to 30, 1280x720 up to 30, 640x480 up to 30"},
		{"a size off the steps of a range", pi(), Want{Format: uapi.H264, Width: 1297, Height: 972}, cannot, NoFormat,
			"/dev/video0 (mmal service 16.1) has no H264 1297x972; it has H264 2592x1944 up to 60, 1920x1080 up to 60, 1280x720 up to 60, " +
				"640x480 up to 60, any of 32x32 to 2592x1944 up to 60"},
		{"no format that can be used", thermal(), Want{}, can, NoFormat,
			"/dev/video0 (PureThermal) gives its pictures in no format that can be used here, but in Y16; use another camera"},
		{"a format that cannot be used", thermal(), Want{Format: uapi.Y16}, cannot, NoFormat,
			"/dev/video0 (PureThermal) gives its pictures in no format that can be used here, but in Y16"},
		{"no format at all", deviceOf("Dummy"), Want{}, can, NoFormat,
			"/dev/video0 (Dummy) says of no format that it has it"},
		{"a negative size", c920(), Want{Width: -1, Height: -1}, can, NoFormat,
			"/dev/video0 (HD Pro Webcam C920) has no -1x-1; it has"},
		{"a size beyond 32 bits", pi(), Want{Width: 1<<31 - 1, Height: 1<<31 - 1}, can, NoFormat,
			"/dev/video0 (mmal service 16.1) has no 2147483647x2147483647; it has"},
		{"a device with a problem", Device{Path: "/dev/video0", Problem: "you may not open /dev/video0"}, Want{}, can, NoFormat,
			"you may not open /dev/video0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Choose(c.device, c.want, c.encode)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if e.Reason != c.reason || !strings.HasPrefix(e.Error(), c.text) {
				t.Errorf("%s:\n%s\nwant %s:\n%s", e.Reason, e, c.reason, c.text)
			}
		})
	}
}

func TestChoose_AnErrorIsOneLineWhateverTheDeviceHas(t *testing.T) {
	d := deviceOf("everything")
	for f := range uint32(64) {
		sizes := make([]Size, 0, maxSizes)
		for i := range uint32(maxSizes) {
			sizes = append(sizes, sizeAt(1000-i, 1000-i, 60, 30))
		}
		d.Formats = append(d.Formats, Format{FourCC: uapi.FourCC('A' | 'A'<<8 | 'A'<<16 | ('!'+f)<<24), Use: Encode, Sizes: sizes})
	}
	for _, encode := range []bool{true, false} {
		_, err := Choose(d, Want{Width: 1}, encode)
		if err == nil || len(err.Error()) > 1200 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%d bytes: %v", len(err.Error()), err)
		}
	}
}
