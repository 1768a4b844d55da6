package v4l2

import (
	"errors"
	"slices"
	"syscall"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Describe returns what an open device can do and how it is set. Path is how it was
// opened; Stable stays empty. The error is an *Error (NotCapture, Unplugged, or what
// the driver refused) beside what is known by then.
func Describe(d *uapi.Device, path string) (Device, error) { return describe(d, path, true) }

// describe is Describe, with the values of the controls or without: USB cameras take up
// to a tenth of a second for each.
func describe(d *uapi.Device, path string, values bool) (Device, error) {
	dev, queue, err := capture(d, path)
	if err != nil {
		return dev, err
	}
	formats, err := d.Formats(queue)
	if err != nil {
		return dev, explain(path, "asking what it can do", err)
	}
	v := survey{device: d, left: maxAsked}
	v.current, _ = d.Format(queue) // zero where the driver has none; looked at before it is used
	for _, f := range formats {
		dev.Formats = append(dev.Formats, Format{
			FourCC:      f.FourCC,
			Description: f.Description,
			Use:         useOf(f.FourCC),
			Sizes:       v.sizes(f.FourCC),
		})
	}
	dev.Controls = controlsOf(d, values)
	// Few drivers can enumerate everything, so what they refuse is left out above; but
	// of one that was unplugged meanwhile that would be half a truth.
	if _, err := d.Capability(); err != nil {
		return dev, explain(path, "asking what it can do", err)
	}
	return dev, nil
}

// What is asked of a driver at most. Cameras have up to some thirty sizes a format.
const (
	maxSizes  = 64    // of a format
	maxRanges = 4     // of a format; the interface allows for one
	maxAsked  = 1024  // sizes of all formats
	maxSide   = 16384 // pixels; H.264 and H.265 end well below
)

// survey asks an open device for the sizes of its formats.
type survey struct {
	device  *uapi.Device
	current uapi.Pix // as the device is set
	left    int      // how many sizes may still be asked about
}

// sizes lists a format's sizes. Drivers that cannot enumerate them have one: as the
// device is set.
func (v *survey) sizes(f uapi.FourCC) []Size {
	found, _ := v.device.FrameSizes(f) // many drivers refuse: ENOTTY, EINVAL
	var sizes, ranges []Size
	add := func(width, height uint32) {
		s := discrete(width, height)
		if !sane(s) || len(sizes) == maxSizes || v.left == 0 ||
			slices.ContainsFunc(sizes, func(t Size) bool { return t.has(width, height) }) {
			return
		}
		v.left--
		s.Rates = v.rates(f, width, height)
		sizes = append(sizes, s)
		for i := len(sizes) - 1; i > 0 && larger(&s, &sizes[i-1]); i-- {
			sizes[i-1], sizes[i] = s, sizes[i-1]
		}
	}
	for _, s := range found {
		r := Size{Width: s.Width, Height: s.Height}
		if !r.Discrete() { // some drivers have no end
			r.Width.Max, r.Height.Max = min(r.Width.Max, maxSide), min(r.Height.Max, maxSide)
		}
		switch {
		case !sane(r):
		case r.Discrete():
			add(r.Width.Min, r.Height.Min)
		case len(ranges) < maxRanges:
			ranges = append(ranges, r)
			for _, usual := range usualSizes(r) {
				add(usual.Width.Min, usual.Height.Min)
			}
		}
	}
	if len(sizes) == 0 && len(ranges) == 0 {
		add(v.current.Width, v.current.Height)
	}
	for i := range ranges {
		// What is said of the largest size holds for those that are smaller.
		ranges[i].Rates = v.rates(f, largest(ranges[i].Width), largest(ranges[i].Height))
	}
	return append(sizes, ranges...)
}

func larger(a, b *Size) bool {
	if a.area() != b.area() {
		return a.area() > b.area()
	}
	return a.Width.Min > b.Width.Min
}

// sane reports whether sizes are such that something can be made of them.
func sane(s Size) bool {
	return s.Width.Min > 0 && s.Height.Min > 0 &&
		s.Width.Min <= s.Width.Max && s.Height.Min <= s.Height.Max &&
		s.Width.Max <= maxSide && s.Height.Max <= maxSide
}

// usualSizes returns what people ask for within a range, and its largest size where that
// is one of a camera or nothing else fits.
func usualSizes(r Size) []Size {
	var sizes []Size
	for _, s := range [...][2]uint32{
		{3840, 2160}, {2560, 1440}, {1920, 1080}, {1600, 900}, {1280, 720}, {1024, 576}, {960, 540}, {640, 360}, {320, 180},
		{2592, 1944}, {2048, 1536}, {1600, 1200}, {1280, 960}, {1024, 768}, {800, 600}, {640, 480}, {320, 240},
	} {
		if r.has(s[0], s[1]) {
			sizes = append(sizes, discrete(s[0], s[1]))
		}
	}
	width, height := largest(r.Width), largest(r.Height)
	picture := width <= 2*height && height <= 2*width && width <= 4096
	if picture || len(sizes) == 0 {
		sizes = append(sizes, discrete(width, height))
	}
	return sizes
}

// largest returns the largest value of a range that fits its steps.
func largest(r uapi.Range) uint32 {
	if r.Step > 1 {
		return r.Max - (r.Max-r.Min)%r.Step
	}
	return r.Max
}

// rates lists the rates at a size in pictures a second, falling; nothing where the
// driver does not tell.
func (v *survey) rates(f uapi.FourCC, width, height uint32) []float64 {
	found, _ := v.device.FrameIntervals(f, width, height) // as above
	var rates []float64
	for _, r := range found {
		slowest, fastest := rateOf(r.Max), rateOf(r.Min)
		usual := false
		for _, rate := range [...]float64{60, 50, 30, 25, 24, 20, 15, 10, 5} {
			if rate >= slowest && rate <= fastest {
				rates, usual = addRate(rates, rate), true
			}
		}
		if !usual {
			rates = addRate(addRate(rates, fastest), slowest)
		}
	}
	return rates
}

// addRate puts a rate into rates that fall, unless it is there or none.
func addRate(falling []float64, rate float64) []float64 {
	if rate == 0 || slices.Contains(falling, rate) {
		return falling
	}
	falling = append(falling, rate)
	for i := len(falling) - 1; i > 0 && falling[i-1] < rate; i-- {
		falling[i-1], falling[i] = rate, falling[i-1]
	}
	return falling
}

// controlsOf lists the controls, with their values where those are wanted. A device that does not answer is
// not asked for every one: a USB camera that hangs takes five seconds for each.
func controlsOf(d *uapi.Device, values bool) []Control {
	found, _ := d.Controls() // a device without any is no error worth telling
	controls := make([]Control, len(found))
	answers := values
	for i, c := range found {
		controls[i].Control = c
		if !answers || !c.Readable() {
			continue
		}
		v, err := d.Control(c.ID)
		controls[i].Value, controls[i].HasValue = v, err == nil
		answers = err == nil || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ERANGE)
	}
	return controls
}
