package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/internal/wordwrap"
)

// Widths of the list in characters, and how much of it is shown; --json has all.
const (
	listWidth  = 100
	listIndent = 16 // of what stands behind a label
	rateWidth  = 8  // of a rate, in front of the sizes that have it
	maxListed  = 16 // sizes of one rate
	maxOthers  = 5  // controls that have no line of their own
)

// noDevices says what to look at where there is no camera.
const noDevices = `No camera was found on this machine. If one is plugged in:
  does lsusb show it? If not, try another port or cable.
  Has the kernel a driver for it? Run: sudo modprobe uvcvideo, and then: sudo dmesg | tail
  A container has the cameras that it is given: --device /dev/video0`

// text returns the lines of the list. program is the name of this one.
func (l *listing) text(program string) []string {
	if len(l.Devices) == 0 {
		return []string{noDevices}
	}
	var lines []string
	watch := ""
	for i := range l.Devices {
		d := &l.Devices[i]
		lines = append(lines, l.device(d)...)
		lines = append(lines, "")
		if watch == "" && d.Chosen != nil {
			watch = d.Address
		}
	}
	if watch == "" {
		return lines[:len(lines)-1]
	}
	if program == "sightline" {
		program += " camera"
	}
	return append(lines, "* is used where --format says nothing else. To publish a camera: "+program+" ADDRESS, as in", "  "+program+" "+quoted(watch))
}

// device returns the lines of a camera.
func (l *listing) device(d *listedDevice) []string {
	lines := []string{strings.TrimSpace(d.Path + "  " + printable(d.Card))}
	add := func(label, text string) { lines = append(lines, row(label, text)...) }
	lines = append(lines, labelled("address", quoted(d.Address))) // names may hold two spaces in a row
	if d.Driver != "" {
		add("driver", printable(strings.TrimSuffix(d.Driver+" at "+d.Bus, " at ")))
	}
	if m := d.Chosen; m != nil {
		add("runs as", fmt.Sprintf("%s %dx%d at %s pictures a second, %s", m.Format, m.Width, m.Height, number(m.Rate), l.becomes(m.Use)))
	} else {
		add("problem", printable(d.Problem))
	}
	for i := range d.Formats {
		lines = append(lines, l.format(&d.Formats[i], d.Chosen)...)
	}
	return append(lines, d.controls()...)
}

// becomes says what is done with pictures.
func (l *listing) becomes(use string) string {
	switch {
	case use == "passThrough":
		return "passed on as it is"
	case use == "encode" && l.Encoder != "":
		return "encoded by this agent"
	case use == "encode":
		return "needs a binary with an encoder"
	}
	return "of no use here"
}

// format returns the lines of a format: its sizes by their highest rates.
func (l *listing) format(f *listedFormat, chosen *listedMode) []string {
	label := f.Format
	if chosen != nil && chosen.Format == f.Format {
		label = "* " + label
	}
	lines := row(label, l.becomes(f.Use))
	if f.Use == "none" {
		return lines
	}
	var rates []float64 // in the order of the largest size that has them
	sizes := map[float64][]string{}
	add := func(rate float64, size string) {
		if _, known := sizes[rate]; !known {
			rates = append(rates, rate)
		}
		sizes[rate] = append(sizes[rate], size)
	}
	for _, r := range f.Ranges {
		text := fmt.Sprintf("all from %dx%d to %dx%d", r.Width.Min, r.Height.Min, r.Width.Max, r.Height.Max)
		if r.Width.Step > 1 || r.Height.Step > 1 {
			text += fmt.Sprintf(" in steps of %dx%d", max(r.Width.Step, 1), max(r.Height.Step, 1))
		}
		add(highest(r.Rates), text)
	}
	for _, s := range f.Sizes {
		if !f.inRange(s) {
			add(highest(s.Rates), fmt.Sprintf("%dx%d", s.Width, s.Height))
		}
	}
	for _, rate := range rates {
		label := "?/s"
		if rate > 0 {
			label = number(rate) + "/s"
		}
		for _, line := range wordwrap.Lines(some(sizes[rate], maxListed), listWidth-listIndent-rateWidth) {
			lines = append(lines, fmt.Sprintf("%*s%-*s%s", listIndent, "", rateWidth, label, line))
			label = ""
		}
	}
	return lines
}

// inRange reports whether a size is one of a range that the format has.
func (f *listedFormat) inRange(s listedSize) bool {
	return slices.ContainsFunc(f.Ranges, func(r listedRange) bool {
		return s.Width >= r.Width.Min && s.Width <= r.Width.Max && s.Height >= r.Height.Min && s.Height <= r.Height.Max
	})
}

// controls returns the lines of what can be set.
func (d *listedDevice) controls() []string {
	var lines, others []string
	keys, bitrate, demand := "", "", ""
	for i := range d.Controls {
		c := &d.Controls[i]
		switch c.ID {
		case uapi.ControlForceKeyFrame:
			demand = "on demand"
		case uapi.ControlGOPSize, uapi.ControlH264KeyInterval:
			keys = "every " + c.between(" pictures", 1)
		case uapi.ControlBitrate:
			bitrate = c.between(" Mbit/s", 1e6)
		default:
			others = append(others, printable(c.Name))
		}
	}
	if demand != "" || keys != "" {
		lines = append(lines, row("key frames", strings.Trim(demand+", "+keys, ", "))...)
	} else if d.Chosen != nil && d.Chosen.Use == "passThrough" {
		lines = append(lines, row("key frames", "when the camera likes")...)
	}
	if bitrate != "" {
		lines = append(lines, row("bitrate", bitrate)...)
	}
	if len(others) > 0 {
		lines = append(lines, row("also", some(others, maxOthers))...)
	}
	return lines
}

// between returns a control's value and bounds in a unit of so much.
func (c *listedControl) between(unit string, of float64) string {
	text := number(float64(c.Min)/of) + " to " + number(float64(c.Max)/of) + unit
	if c.Value != nil {
		text += ", now " + number(float64(*c.Value)/of)
	}
	return text
}

// row returns a label and the text behind it, in as many lines as it takes.
func row(label, text string) []string {
	lines := wordwrap.Lines(text, listWidth-listIndent)
	for i, line := range lines {
		lines[i] = labelled(label, line)
		label = ""
	}
	return lines
}

// labelled returns a line with a label, which may begin with a mark.
func labelled(label, line string) string {
	if marked, ok := strings.CutPrefix(label, "* "); ok {
		label = "  * " + marked
	} else {
		label = "    " + label
	}
	return fmt.Sprintf("%-*s%s", listIndent, label, line)
}

// some joins so many texts, and says how many more there are.
func some(texts []string, most int) string {
	if len(texts) <= most+1 {
		return strings.Join(texts, ", ")
	}
	return strings.Join(texts[:most], ", ") + fmt.Sprintf(" and %d more", len(texts)-most)
}

// quoted returns an address as a shell takes it.
func quoted(address string) string {
	if strings.Trim(address, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.:+-,=@%") == "" {
		return address
	}
	return "'" + strings.ReplaceAll(printable(address), "'", `'\''`) + "'"
}

// highest returns the highest rate; 0 if none is known.
func highest(rates []float64) float64 {
	if len(rates) == 0 {
		return 0
	}
	return slices.Max(rates)
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
