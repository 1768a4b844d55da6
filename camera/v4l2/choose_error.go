package v4l2

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-cam/sightline/camera/v4l2/encoder"
)

// noMode says why there is no mode as wanted, and what there is instead.
func noMode(d Device, w Want, canEncode bool) *Error {
	if d.Problem != "" {
		return errorf(NoFormat, "%s", d.Problem)
	}
	w.Rate = 0 // which is never the reason
	if !canEncode {
		if e := noEncoder(d, w); e != nil {
			return e
		}
	}
	wanted := "nothing that can be carried"
	if w != (Want{}) {
		wanted = "no " + w.String()
	}
	uses := []Use{PassThrough}
	if canEncode || len(formatNames(d, PassThrough)) == 0 {
		uses = append(uses, Encode)
	}
	there := summary(d, uses...)
	if there != "" {
		return errorf(NoFormat, "%s has %s; it has %s", d.name(), wanted, there)
	}
	if names := formatNames(d, Unusable); len(names) > 0 {
		return errorf(NoFormat, "%s gives its pictures in no format that can be used here, but in %s; use another camera", d.name(), strings.Join(names, ", "))
	}
	return errorf(NoFormat, "%s says of no format that it has it; if another program has to feed it, start that first", d.name())
}

// noEncoder returns an error if it is the encoder that is missing, else nil.
func noEncoder(d Device, w Want) *Error {
	passes := summary(d, PassThrough)
	_, encodes := encodeClass().best(d, w)
	if !encodes && (passes != "" || summary(d, Encode) == "") {
		return nil
	}
	names := strings.Join(formatNames(d, Encode), ", ")
	if passes == "" {
		return errorf(NoEncoder, "%s gives only pictures that have to be encoded (%s), and %v", d.name(), names, encoder.ErrMissing)
	}
	return errorf(NoEncoder, "%s gives %s only as pictures that have to be encoded (%s), and %v; as video of its own it has %s",
		d.name(), w, names, encoder.ErrMissing, passes)
}

// formatNames returns the formats of a use, the first twelve.
func formatNames(d Device, u Use) []string {
	var names []string
	for _, f := range d.Formats {
		if f.Use == u {
			names = append(names, f.FourCC.String())
		}
	}
	if len(names) > 12 {
		names = append(names[:12], "…")
	}
	return names
}

// summary says in a line what a device can, by format:
// "H264 1920x1080 up to 30, 1280x720 up to 60; YUYV 640x480 up to 30".
func summary(d Device, uses ...Use) string {
	const maxFormats = 6
	var formats []string
	more := 0
	for _, f := range d.Formats {
		switch {
		case !slices.Contains(uses, f.Use) || len(f.Sizes) == 0:
		case len(formats) == maxFormats:
			more++
		default:
			formats = append(formats, f.summary())
		}
	}
	text := strings.Join(formats, "; ")
	if more > 0 {
		text += "; and " + strconv.Itoa(more) + " more formats"
	}
	return text
}

func (f Format) summary() string {
	const maxShown = 6
	var sizes, ranges []string
	for _, s := range f.Sizes {
		text := s.String()
		if len(s.Rates) > 0 {
			text += " up to " + rateText(slices.Max(s.Rates))
		}
		if s.Discrete() {
			sizes = append(sizes, text)
		} else {
			ranges = append(ranges, "any of "+text)
		}
	}
	if n := len(sizes) - maxShown; n > 0 {
		sizes = append(sizes[:maxShown], strconv.Itoa(n)+" smaller")
	}
	return f.FourCC.String() + " " + strings.Join(append(sizes, ranges...), ", ")
}
