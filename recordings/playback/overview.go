package playback

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// overview is the answer to GET /v1/recordings.
type overview struct {
	UnixMs  int64        `json:"unixMs"`
	Cameras []cameraView `json:"cameras"`
	Disks   []diskView   `json:"disks"`
}

type cameraView struct {
	ID            string       `json:"id"`
	Name          string       `json:"name"`
	Recording     bool         `json:"recording"`
	Paused        bool         `json:"paused"`
	PausedUntilMs int64        `json:"pausedUntilMs"`
	Reason        string       `json:"reason"`
	Origin        string       `json:"origin"`
	Streams       []streamView `json:"streams"`
}

type streamView struct {
	Rendition string `json:"rendition"`
	FromMs    int64  `json:"fromMs"`
	ToMs      int64  `json:"toMs"`
	DurableMs int64  `json:"durableMs"`
	Bytes     int64  `json:"bytes"`
	Video     string `json:"video"`
	Width     int    `json:"width"`
	Height    int    `json:"height"`
	Audio     string `json:"audio"`
	Signed    bool   `json:"signed"`
	Recording bool   `json:"recording"`
}

type diskView struct {
	Usable     bool   `json:"usable"`
	Reason     string `json:"reason"`
	TotalBytes int64  `json:"totalBytes"`
	FreeBytes  int64  `json:"freeBytes"`
	UsedBytes  int64  `json:"usedBytes"`
	Path       string `json:"path"`
}

// getOverview answers GET /v1/recordings: what there is, of the cameras whose
// recordings the client may watch.
func (a *API) getOverview(w http.ResponseWriter, r *http.Request, p *trust.Principal) {
	if err := a.overview(w, r, p); err != nil {
		err.write(w)
	}
}

func (a *API) overview(w http.ResponseWriter, r *http.Request, p *trust.Principal) *apiError {
	if p == nil {
		return unknown()
	}
	if err := parseQuery(r).err; err != nil {
		return err
	}
	cameras, err := a.cameras(r.Context(), func(id string) bool { return p.May(access.Playback, id) })
	if err != nil {
		return a.failed(r.Context(), "list what is recorded", err)
	}
	disks, err := a.opts.Library.Disks(r.Context())
	if err != nil {
		return a.failed(r.Context(), "look at the disks", err)
	}
	out := overview{UnixMs: time.Now().UnixMilli(), Cameras: cameras, Disks: make([]diskView, 0, len(disks))}
	for _, d := range disks {
		v := diskView{Usable: d.Usable, Reason: d.Reason, TotalBytes: d.Total, FreeBytes: d.Free, UsedBytes: d.Used, Path: d.Path}
		if !p.May(access.Admin, "") {
			v.Path = ""
			if v.Reason != "" {
				v.Reason = "A disk for recordings cannot be used. Tell who administers the recorder." // the true one has paths
			}
		}
		out.Disks = append(out.Disks, v)
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// cameras returns those that a client may see: first those that are recorded, then
// those of which only recordings are left.
func (a *API) cameras(ctx context.Context, visible func(id string) bool) ([]cameraView, error) {
	streams, err := a.opts.Library.Streams(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(streams, func(x, y recordings.StreamInfo) int {
		return cmp.Or(cmp.Compare(x.Camera, y.Camera), cmp.Compare(x.Rendition, y.Rendition))
	})
	views := []cameraView{}
	at := make(map[string]int) // in views
	add := func(v cameraView) {
		if _, there := at[v.ID]; there || !visible(v.ID) {
			return
		}
		v.Streams = []streamView{}
		if pause, ok := a.opts.Library.Paused(v.ID); ok {
			v.Paused, v.PausedUntilMs = true, millis(pause.To)
		}
		at[v.ID] = len(views)
		views = append(views, v)
	}
	for _, c := range a.opts.Cameras() {
		add(cameraView{ID: c.ID, Name: c.Name, Recording: c.Recording, Reason: c.Reason, Origin: c.Origin})
	}
	for _, s := range streams {
		add(cameraView{ID: s.Camera, Name: s.Camera, Reason: "This camera is not recorded any more."})
		if i, ok := at[s.Camera]; ok {
			views[i].Streams = append(views[i].Streams, streamView{
				Rendition: s.Rendition, FromMs: millis(s.From), ToMs: millis(s.To), DurableMs: millis(s.Durable), Bytes: s.Bytes,
				Video: s.Format.Video, Width: s.Format.Width, Height: s.Format.Height, Audio: s.Format.Audio, Signed: s.Format.Signed,
				Recording: s.Recording,
			})
		}
	}
	return views, nil
}
