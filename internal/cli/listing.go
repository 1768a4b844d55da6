package cli

import (
	"slices"
	"strings"

	"github.com/sightline-cam/sightline/camera/v4l2"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/internal/config"
)

// listing is the cameras of this machine, for programs as docs/configuration.md says.
type listing struct {
	Encoder string         `json:"encoder"` // "x264", "openh264"; empty in a binary without
	Devices []listedDevice `json:"devices"`
}

// listedDevice is a camera of this machine.
type listedDevice struct {
	Path     string          `json:"path"`
	Address  string          `json:"address"` // to watch it by; outlives a restart, if there is such a one
	Stable   []string        `json:"stable"`
	Card     string          `json:"card"`
	Driver   string          `json:"driver"`
	Bus      string          `json:"bus"`
	Chosen   *listedMode     `json:"chosen"`  // null if it cannot be watched
	Problem  string          `json:"problem"` // why it cannot
	Formats  []listedFormat  `json:"formats"`
	Controls []listedControl `json:"controls"`
}

// listedMode is a way a device is run.
type listedMode struct {
	Format string  `json:"format"`
	Width  uint32  `json:"width"`
	Height uint32  `json:"height"`
	Rate   float64 `json:"rate"` // pictures a second
	Use    string  `json:"use"`
}

// listedFormat is a format of a device.
type listedFormat struct {
	Format      string        `json:"format"`
	Description string        `json:"description"`
	Use         string        `json:"use"`
	Sizes       []listedSize  `json:"sizes"`
	Ranges      []listedRange `json:"ranges"`
}

// listedSize is a size in pixels with its rates in pictures a second.
type listedSize struct {
	Width  uint32    `json:"width"`
	Height uint32    `json:"height"`
	Rates  []float64 `json:"rates"`
}

// listedRange is a range of sizes, all of which the device has.
type listedRange struct {
	Width  listedSteps `json:"width"`
	Height listedSteps `json:"height"`
	Rates  []float64   `json:"rates"`
}

// listedSteps are the numbers from Min to Max that are Step apart.
type listedSteps struct {
	Min  uint32 `json:"min"`
	Max  uint32 `json:"max"`
	Step uint32 `json:"step"`
}

// listedControl is what can be set on a device.
type listedControl struct {
	ID       uint32       `json:"id"`
	Name     string       `json:"name"`
	Type     string       `json:"type"`
	Writable bool         `json:"writable"`
	Value    *int64       `json:"value"` // null of buttons and what cannot be read
	Min      int64        `json:"min"`
	Max      int64        `json:"max"`
	Step     int64        `json:"step"`
	Default  int64        `json:"default"`
	Menu     []listedItem `json:"menu"`
}

// listedItem is a choice of a menu.
type listedItem struct {
	Index int64  `json:"index"`
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// listingOf describes devices to a person or program that runs a binary with that
// encoder, "" for none.
func listingOf(devices []v4l2.Device, encoder string) listing {
	l := listing{Encoder: encoder, Devices: []listedDevice{}}
	for i := range devices {
		d := &devices[i]
		out := listedDevice{
			Path: d.Path, Address: addressOf(devices, i), Stable: append([]string{}, d.Stable...),
			Card: d.Card, Driver: d.Driver, Bus: d.Bus, Formats: []listedFormat{}, Controls: []listedControl{},
		}
		if m, err := v4l2.Choose(*d, v4l2.Want{}, encoder != ""); err != nil {
			out.Problem = err.Error()
		} else {
			out.Chosen = &listedMode{Format: m.FourCC.String(), Width: m.Width, Height: m.Height, Rate: m.Rate(), Use: useName(m.Use)}
		}
		for j := range d.Formats {
			out.Formats = append(out.Formats, listFormat(&d.Formats[j]))
		}
		for j := range d.Controls {
			out.Controls = append(out.Controls, listControl(&d.Controls[j]))
		}
		l.Devices = append(l.Devices, out)
	}
	return l
}

// addressOf returns by what a device is to be watched: an address that stays its own
// when numbers are given anew. Cameras of one model that have no serial numbers share
// one link by-id, which then says nothing.
func addressOf(devices []v4l2.Device, i int) string {
	d := &devices[i]
	twins, shared := false, false
	for j := range devices {
		if j != i && devices[j].Card == d.Card {
			twins = true
			shared = shared || !hasID(&devices[j])
		}
	}
	switch {
	case len(d.Stable) > 0 && shared:
		return d.Stable[len(d.Stable)-1]
	case len(d.Stable) > 0:
		return d.Stable[0]
	case twins || d.Problem != "":
		return d.Path
	}
	name := v4l2.Scheme + d.Card
	if a, err := config.ParseAddress(name); err != nil || a.Target() != name {
		return d.Path
	}
	return name
}

// hasID reports whether a link by-id leads to the device.
func hasID(d *v4l2.Device) bool {
	return slices.ContainsFunc(d.Stable, func(s string) bool { return strings.HasPrefix(s, "/dev/v4l/by-id/") })
}

func useName(u v4l2.Use) string {
	switch u {
	case v4l2.PassThrough:
		return "passThrough"
	case v4l2.Encode:
		return "encode"
	case v4l2.Unusable:
	}
	return "none"
}

func listFormat(f *v4l2.Format) listedFormat {
	out := listedFormat{
		Format: f.FourCC.String(), Description: f.Description, Use: useName(f.Use), Sizes: []listedSize{}, Ranges: []listedRange{},
	}
	for _, s := range f.Sizes {
		rates := append([]float64{}, s.Rates...)
		if s.Discrete() {
			out.Sizes = append(out.Sizes, listedSize{s.Width.Min, s.Height.Min, rates})
		} else {
			out.Ranges = append(out.Ranges, listedRange{steps(s.Width), steps(s.Height), rates})
		}
	}
	return out
}

func steps(r uapi.Range) listedSteps { return listedSteps{r.Min, r.Max, r.Step} }

func listControl(c *v4l2.Control) listedControl {
	out := listedControl{
		ID: c.ID, Name: c.Name, Type: c.Type.String(), Writable: c.Writable(),
		Min: c.Min, Max: c.Max, Step: c.Step, Default: c.Default, Menu: []listedItem{},
	}
	if c.HasValue {
		out.Value = &c.Value
	}
	for _, m := range c.Menu {
		out.Menu = append(out.Menu, listedItem{Index: m.Index, Name: m.Name, Value: m.Value})
	}
	return out
}
