package v4l2

import (
	"errors"
	"math"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
	"github.com/sightline-cam/sightline/codecs"
)

// maxBuffers is how many frames the driver may hold for us: what a machine that is busy
// for a quarter of a second does not lose.
const maxBuffers = 8

// opened is a device that is set up and ready to start. Not safe for concurrent use,
// except for device.Wake.
type opened struct {
	source   *Source // constant
	path     string
	device   *uapi.Device
	kind     uapi.BufType
	chained  bool // a node of several, which somebody else has to connect
	about    Device
	mode     Mode
	pix      uapi.Pix // what the driver made of the mode
	refusals []string // settings asked for that the device does not take
}

// name is how sentences call the device.
func (o *opened) name() string { return o.about.name() }

// codec returns that of the track.
func (o *opened) codec() codecs.Codec {
	if o.mode.FourCC == uapi.HEVC {
		return codecs.H265
	}
	return codecs.H264
}

// interval returns the time from one picture to the next.
func (o *opened) interval() time.Duration {
	const usual = time.Second / 30
	rate := o.mode.Rate()
	if rate <= 0 {
		return usual
	}
	return time.Duration(float64(time.Second) / rate)
}

// control returns what can be set by an id.
func (o *opened) control(id uint32) (Control, bool) {
	for _, c := range o.about.Controls {
		if c.ID == id {
			return c, true
		}
	}
	return Control{}, false
}

// setUp sets format, rate and controls, in the order that drivers want.
func (o *opened) setUp() error {
	want := uapi.Pix{FourCC: o.mode.FourCC, Width: o.mode.Width, Height: o.mode.Height}
	pix, err := o.device.SetFormat(o.kind, want)
	if err == nil && halves(pix.Field) {
		want.Field = abi.FieldInterlaced
		pix, err = o.device.SetFormat(o.kind, want)
	}
	if err != nil {
		return o.explain("setting the format", err)
	}
	if halves(pix.Field) {
		o.refusals = append(o.refusals, "the device gives the two halves of each picture apart (interlaced); set what is connected to it to progressive")
	}
	if err := o.settle(pix); err != nil {
		return err
	}
	rate := o.source.opts.Want.Rate
	if got, err := o.device.SetInterval(o.kind, o.mode.Interval); err == nil {
		if rateOf(got) > 0 {
			o.mode.Interval = got
		}
	} else {
		o.source.opts.Logger.Debug("the device's frame rate cannot be set", "device", o.path, "error", err)
	}
	// Some drivers choose another size with the rate.
	if now, err := o.device.Format(o.kind); err == nil && now.FourCC != 0 && now.Width != 0 && now.Height != 0 {
		if err := o.settle(now); err != nil {
			return err
		}
	}
	if rate != 0 && math.Abs(o.mode.Rate()-rate) > rate/10 {
		o.refusals = append(o.refusals, "the device gives "+rateText(o.mode.Rate())+" pictures a second when asked for "+rateText(rate))
	}
	if o.mode.Use == PassThrough {
		o.setControls()
	}
	return nil
}

// halves reports whether the even and the odd lines of pictures are apart (enum
// v4l2_field): one after the other, or one above the other.
func halves(field uint32) bool {
	return field > abi.FieldNone && field != abi.FieldInterlaced && field < firstWoven
}

// firstWoven is V4L2_FIELD_INTERLACED_TB: from there on the lines are in their places.
const firstWoven = 8

// settle takes what the driver made of the mode, if that will do.
func (o *opened) settle(pix uapi.Pix) error {
	if pix.FourCC != o.mode.FourCC {
		return errorf(Driver, "%s gives %s when asked for %s; choose another with --format, see --list", o.name(), pix.FourCC, o.mode.FourCC)
	}
	want := o.source.opts.Want
	if want.Width != 0 && pix.Width != o.mode.Width || want.Height != 0 && pix.Height != o.mode.Height {
		return errorf(NoFormat, "%s gives pictures of %s when asked for %s; choose another --size or --rate, see --list",
			o.name(), sizeText(pix.Width, pix.Height), sizeText(o.mode.Width, o.mode.Height))
	}
	o.pix, o.mode.Width, o.mode.Height = pix, pix.Width, pix.Height
	return nil
}

// setControls asks a device that encodes for what suits live video: no B-frames, key
// frames of the interval wanted that bring their parameter sets with them, and a
// bitrate if one is wanted. Few devices have all of them; none is needed.
func (o *opened) setControls() {
	opts := o.source.opts
	key := int64(max(1, math.Round(opts.KeyInterval.Seconds()*o.mode.Rate())))
	o.set(uapi.ControlBFrames, 0)
	o.set(uapi.ControlRepeatHeader, 1)
	o.set(uapi.ControlPrependHeaders, 1)
	gop := o.set(uapi.ControlGOPSize, key)
	if o.codec() == codecs.H264 {
		gop = o.set(uapi.ControlH264KeyInterval, key) || gop
	}
	if !gop {
		o.source.opts.Logger.Debug("the device's key frame interval cannot be set", "device", o.path)
	}
	if opts.Bitrate > 0 && !o.set(uapi.ControlBitrate, int64(opts.Bitrate)) {
		o.refusals = append(o.refusals, "the device's bitrate cannot be set; leave --bitrate out, or choose a smaller size or rate")
	}
}

// set sets a control to a value, or the nearest that it takes.
func (o *opened) set(id uint32, value int64) bool {
	c, ok := o.control(id)
	if !ok {
		return false
	}
	value = min(max(value, c.Min), c.Max)
	if c.Step > 1 {
		value = c.Min + (value-c.Min)/c.Step*c.Step
	}
	if err := o.device.SetControl(id, value); err != nil {
		o.source.opts.Logger.Debug("the device refuses a setting", "device", o.path, "control", c.Name, "error", err)
		return false
	}
	return true
}

// warn tells of settings that the device does not take.
func (o *opened) warn(out camera.Output) {
	text := ""
	for _, r := range o.refusals {
		if text != "" {
			text += "; "
		}
		text += r
	}
	if text != "" {
		out.Warn("device-settings", text)
	}
}

// start begins the stream.
func (o *opened) start() error {
	if _, err := o.device.Map(o.kind, maxBuffers); err != nil {
		return o.explain("making room for pictures", err)
	}
	if err := o.device.Start(); err != nil {
		if o.chained && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ENOLINK) || errors.Is(err, syscall.EINVAL)) {
			return errorf(NotCapture, "%s is one part of a camera that its own software has to set up (libcamera; on a Raspberry Pi `rpicam-vid`); "+
				"let that write to a loopback device or an RTSP server, and watch the camera there", o.name())
		}
		return o.explain("starting the stream", err)
	}
	return nil
}

// restart ends the stream and begins it again.
func (o *opened) restart() error {
	if err := o.device.Stop(); err != nil {
		return o.explain("stopping the stream", err)
	}
	return o.start()
}
