package agent

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/trust"
)

// cameraView is a camera as the API shows it.
type cameraView struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"` // live, connecting or offline
	Since string `json:"since"` // RFC 3339
	// Reason says why the camera is offline and what to do; Warning what to
	// change on a camera that is not. A guest is told less.
	Reason      string `json:"reason"`
	Warning     string `json:"warning"`
	Codec       string `json:"codec"` // of the picture; empty while unknown
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	Audio       string `json:"audio"` // what viewers can hear; empty for nothing
	Renditions  int    `json:"renditions"`
	TestPattern bool   `json:"testPattern"`
	Viewers     int    `json:"viewers"`
}

// view returns the camera as it is now, as p may see it.
func (c *publishedCamera) view(p *trust.Principal) cameraView {
	st := c.Status()
	v := cameraView{
		ID: c.ID(), Name: c.Name(),
		State: string(st.State), Since: st.Since.UTC().Format(time.RFC3339Nano),
		Reason: st.Reason, Warning: st.Warning(),
		Renditions: c.Renditions(), TestPattern: c.TestPattern(), Viewers: c.Viewers(),
	}
	// What to set, and with the troubles the addresses, programs and users at home, is
	// for those who look after the camera. An open device keeps nothing back.
	if (p.Role == trust.RoleGuest || p.Role == trust.RoleListed) && !p.May(access.Admin, c.ID()) {
		v.Reason, v.Warning = st.Public, ""
	}
	if t, ok := c.Hub(0).Video(); ok {
		v.Codec = t.Codec.String()
		v.Width, v.Height = pictureSize(t)
	}
	if t, ok := c.Hub(0).Audio(); ok && t.Codec != codecs.AAC { // AAC has no live mapping
		v.Audio = t.Codec.String()
	}
	return v
}

// pictureSize returns width and height in luma samples, 0 while unknown.
func pictureSize(t codecs.Track) (width, height int) {
	if t.SPS == nil {
		return 0, 0
	}
	switch t.Codec {
	case codecs.H264:
		if info, err := h264.ParseSPS(t.SPS); err == nil {
			return info.Width, info.Height
		}
	case codecs.H265:
		if info, err := h265.ParseSPS(t.SPS); err == nil {
			return info.Width, info.Height
		}
	default:
	}
	return 0, 0
}
