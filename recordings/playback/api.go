package playback

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
)

// API answers requests about recordings. Make it with New. Safe for concurrent use.
type API struct {
	// Constant after construction.
	opts    Options
	hls     *hlsTokens
	events  *eventRates
	exports *exportPlaces
	stall   time.Duration // how long a client may take nothing

	locking sync.Mutex // held while locks are counted and one is added
}

// New checks the options. It does no I/O.
func New(o Options) (*API, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	return &API{
		opts: o, hls: newHLSTokens(), events: newEventRates(), exports: newExportPlaces(), stall: stallTimeout,
	}, nil
}

// Routes returns the API's paths. docs/openapi.yaml has the same; a test of
// camera/agent holds the two together.
func (a *API) Routes() []Route {
	const camera = "/v1/recordings/{camera}"
	watch := func(path string, long bool, h handler, methods ...string) Route {
		rt := everywhere(camera + path)
		rt.Long = long
		for _, m := range append(methods, http.MethodGet) {
			rt.Methods[m] = with(access.Playback, h)
		}
		return rt
	}
	change := func(path string, right access.Right, methods map[string]handler) Route {
		rt := everywhere(camera + path)
		rt.Changes = true
		for m, h := range methods {
			rt.Methods[m] = with(right, h)
		}
		return rt
	}
	overview, events := everywhere("/v1/recordings"), everywhere("/v1/events")
	overview.Methods[http.MethodGet] = a.getOverview
	events.Public = true
	events.Methods[http.MethodPost] = a.postEvent
	return []Route{
		overview,
		watch("/days", false, a.getDays),
		watch("/timeline", false, a.getTimeline),
		watch("/segments", false, a.getSegments),
		watch("/segments/{id}", true, a.getSegmentFile, http.MethodHead),
		watch("/segments/{id}/init.mp4", false, a.getInit, http.MethodHead),
		watch("/fragment", true, a.getFragment, http.MethodHead),
		watch("/keyframes", false, a.getKeyFrames),
		watch("/keyframe", false, a.getKeyFrame),
		watch("/export.mp4", true, a.getExport, http.MethodHead),
		watch("/events", false, a.getEvents),
		events,
		change("/locks", access.Admin, map[string]handler{http.MethodPost: a.postLock}),
		change("/locks/{id}", access.Admin, map[string]handler{http.MethodDelete: a.deleteLock}),
		change("/pause", access.Admin, map[string]handler{http.MethodPut: a.putPause, http.MethodDelete: a.deletePause}),
		change("/hls", access.Playback, map[string]handler{http.MethodPost: a.postHLS}),
		{
			Pattern: hlsPath + "{token}/{file}", Listener: true, Public: true, Long: true,
			Methods: map[string]Handler{http.MethodGet: a.getHLS, http.MethodHead: a.getHLS},
		},
	}
}

func everywhere(pattern string) Route {
	return Route{Pattern: pattern, Listener: true, Channel: true, Console: true, Methods: make(map[string]Handler)}
}

// known refuses a camera of which there is nothing here.
func (a *API) known(ctx context.Context, camera string) *apiError {
	for _, c := range a.opts.Cameras() {
		if c.ID == camera {
			return nil
		}
	}
	streams, err := a.opts.Library.Streams(ctx)
	if err != nil {
		return a.failed(ctx, "list what is recorded", err)
	}
	for _, s := range streams {
		if s.Camera == camera {
			return nil
		}
	}
	return fail(http.StatusNotFound, "no_camera", "There is no such camera here.")
}

// failed tells a client that the library could not do something, and the log why.
func (a *API) failed(ctx context.Context, what string, err error) *apiError {
	switch _, disk := errors.AsType[*fs.PathError](err); {
	case a.opts.IsNotFound(err):
		return notFound("There is no such recording, or it was deleted.").because(err)
	case ctx.Err() != nil:
		return busy("The request was given up.").because(err)
	case disk:
		a.opts.Logger.Error("the disk with the recordings failed", "doing", what, "error", err)
		return fail(http.StatusInternalServerError, "disk", "The disk with the recordings cannot be read. The recorder's log says why.").because(err)
	}
	a.opts.Logger.Error("a request about recordings failed", "doing", what, "error", err)
	return fail(http.StatusInternalServerError, "internal", "The recorder could not do this. Its log says why.").because(err)
}

// notKept tells a client that a change could not be written down, and the log why.
func (a *API) notKept(ctx context.Context, what string, err error) *apiError {
	e := a.failed(ctx, what, err)
	if e.Code == "disk" || e.Code == "internal" {
		return fail(http.StatusInsufficientStorage, "not_written",
			"Nothing was changed, since the recorder cannot write it down. Its log says why; make room on its disk, or replace it, and try again.").because(err)
	}
	return e
}
