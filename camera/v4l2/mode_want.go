package v4l2

import (
	"strconv"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// Want is what the user asked a device for. What is zero is chosen; each field may be
// given alone.
type Want struct {
	Format        uapi.FourCC
	Width, Height int     // pixels
	Rate          float64 // pictures a second; the nearest is taken
}

// String returns "H264 1280x720 at 30", with what was asked for alone.
func (w Want) String() string {
	text := ""
	add := func(s string) {
		if text != "" {
			text += " "
		}
		text += s
	}
	if w.Format != 0 {
		add(w.Format.String())
	}
	switch {
	case w.Width != 0 && w.Height != 0:
		add(strconv.Itoa(w.Width) + "x" + strconv.Itoa(w.Height))
	case w.Width != 0:
		add("pictures " + strconv.Itoa(w.Width) + " wide")
	case w.Height != 0:
		add("pictures " + strconv.Itoa(w.Height) + " high")
	}
	if w.Rate != 0 {
		add("at " + rateText(w.Rate))
	}
	return text
}
