package agent

import (
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/trust"
)

// getMe answers GET /v1/me: who the agent takes the client for, and what that
// may do here.
func (a *Agent) getMe(w http.ResponseWriter, r *http.Request) {
	p := principalOf(r)
	rights := make(map[string][]access.Right, len(a.cameras.order))
	for _, c := range a.cameras.visible(p) {
		rights[c.ID()] = p.Rights(c.ID())
	}
	type clock struct {
		Believable bool  `json:"believable"`
		UnixMs     int64 `json:"unixMs"`
	}
	writeJSON(w, http.StatusOK, struct {
		Peer    string                    `json:"peer"`
		Role    trust.Role                `json:"role"`
		Name    string                    `json:"name"`
		Device  string                    `json:"device"`
		Expires string                    `json:"expires"`
		Home    string                    `json:"home"`
		Rights  map[string][]access.Right `json:"rights"`
		Admin   bool                      `json:"admin"`
		Pass    bool                      `json:"pass"`
		Places  []access.Publisher        `json:"places"`
		Clock   clock                     `json:"clock"`
	}{
		Peer: string(p.Peer), Role: p.Role, Name: p.Name, Device: p.Device, Expires: timeText(p.Expires), Home: a.gate.trust.Home(),
		Rights: rights, Admin: p.May(access.Admin, ""), Pass: p.Pass(), Places: a.gate.trust.Places(p),
		Clock: clock{a.gate.trust.ClockBelievable(), time.Now().UnixMilli()},
	})
}

// timeText is a time of the API, RFC 3339; "" for none.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
